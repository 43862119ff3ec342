using System.Text;
using QemuGuestAgent.Core.Guests.Posix;

namespace QemuGuestAgent.Core.Tests.Guests.Posix;

/// <summary>The little of tar's format that is written and read.</summary>
public sealed class TarArchiveTests
{
    private static readonly DateTime Time = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);

    [Fact]
    public void What_was_written_is_read_and_the_rest_behind_it_too()
    {
        var archives = TarArchive.Read(Make()).ToList();
        Assert.Equal(2, archives.Count);
        Assert.Equal(["empty", "a"], archives[0].Keys);
        Assert.Equal(0, archives[0]["empty"].Length);
        Assert.Equal(new string('a', 513), Encoding.ASCII.GetString(archives[0]["a"].Span));
        Assert.Equal("bb", Encoding.ASCII.GetString(archives[1]["ü"].Span));
    }

    [Fact]
    public void One_that_is_cut_has_what_came_before_or_nothing()
    {
        var whole = Make();
        for (var length = 0; length < whole.Length; length++)
        {
            foreach (var archive in TarArchive.Read(whole.AsMemory(0, length)))
            {
                Assert.All(archive, file => Assert.Equal(file.Key is "a" ? 513 : file.Key is "ü" ? 2 : 0, file.Value.Length));
            }
        }
    }

    [Fact]
    public void One_that_is_damaged_is_never_more_than_an_end()
    {
        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var damaged = Make();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Assert.InRange(TarArchive.Read(damaged).Sum(archive => archive.Values.Sum(content => content.Length)), 0, damaged.Length);
        }
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59Z")]
    [InlineData("2300-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59Z")]
    public void Any_time_fits(string time)
    {
        using var archive = new MemoryStream();
        TarArchive.Add(archive, "", "a", "x"u8.ToArray(), 0, DateTime.Parse(time, null, System.Globalization.DateTimeStyles.AdjustToUniversal));
        TarArchive.End(archive);
        Assert.Equal("a", Assert.Single(Assert.Single(TarArchive.Read(archive.ToArray()))).Key);
    }

    private static byte[] Make()
    {
        using var archive = new MemoryStream();
        TarArchive.Add(archive, "", "empty", default, 0, Time);
        TarArchive.Add(archive, "", "a", Encoding.ASCII.GetBytes(new string('a', 513)), 0, Time);
        TarArchive.End(archive);
        archive.Write(new byte[5 * 512]);
        TarArchive.Add(archive, "", "ü", "bb"u8.ToArray(), 0, Time);
        TarArchive.End(archive);
        return archive.ToArray();
    }
}
