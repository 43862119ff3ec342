using System.Buffers;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Tests
{
    /// <summary>What the tests use and neither .NET Framework nor its polyfills have.</summary>
    internal static class Missing
    {
        extension(DateTimeOffset)
        {
            public static DateTimeOffset UnixEpoch => DateTimeOffset.FromUnixTimeSeconds(0);
        }

        extension(TimeSpan)
        {
            public static TimeSpan FromMicroseconds(double microseconds) => TimeSpan.FromTicks((long)(microseconds * 10));
        }

        extension(Array)
        {
            public static void Fill<T>(T[] array, T value) => array.AsSpan().Fill(value);
        }

        extension(ObjectDisposedException)
        {
            public static void ThrowIf(bool condition, object instance)
            {
                if (condition)
                {
                    throw new ObjectDisposedException(instance.GetType().Name);
                }
            }
        }

        extension(ReadOnlySequence<byte> bytes)
        {
            public ReadOnlySpan<byte> FirstSpan => bytes.First.Span;
        }

        public static string Replace(this string text, string old, string @new, StringComparison _) => text.Replace(old, @new);

        public static int Count(this Span<byte> bytes, byte value) => bytes.ToArray().Count(b => b == value);

        public static IEnumerable<T> Select<T>(this MatchCollection matches, Func<Match, T> of) => matches.Cast<Match>().Select(of);
    }
}

namespace System.Runtime.CompilerServices
{
    // Ranges of arrays are compiled to it.
    internal static class RuntimeHelpers
    {
        public static T[] GetSubArray<T>(T[] array, Range range)
        {
            var (start, length) = range.GetOffsetAndLength(array.Length);
            return array.AsSpan(start, length).ToArray();
        }
    }
}
