using System.Collections;
using System.Collections.Specialized;
using System.Globalization;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>Values of a script as JSON: each as it is, or refused by the place where it stands.</summary>
public sealed class ArgumentWriterTests
{
    [Fact]
    public void No_arguments_are_none()
    {
        Assert.Null(ArgumentWriter.Prepare("guest-x", null));
        Assert.Null(ArgumentWriter.Prepare("guest-x", new Wrapped(null), Unwrap));
    }

    [Fact]
    public void Every_kind_of_value_has_its_form()
    {
        (object? Value, string Json)[] values =
        [
            (null, "null"), (true, "true"), (false, "false"), ("text", "\"text\""), ("", "\"\""), ('c', "\"c\""),
            ((sbyte)-1, "-1"), ((byte)255, "255"), ((short)-5, "-5"), ((ushort)5, "5"), (-7, "-7"), (7u, "7"),
            (long.MinValue, "-9223372036854775808"), (ulong.MaxValue, "18446744073709551615"),
            (decimal.MaxValue, "79228162514264337593543950335"), (0.10m, "0.10"), (1.5, "1.5"), (5.0, "5"), (-0.25f, "-0.25"),
            (DayOfWeek.Friday, "\"Friday\""), (FileAttributes.Hidden | FileAttributes.System, "\"Hidden, System\""),
            (new byte[] { 1, 2, 250 }, "\"AQL6\""), (Array.Empty<byte>(), "\"\""),
            (new[] { 1 }, "[1]"), (Array.Empty<string>(), "[]"), (new object?[] { null, "a", new[] { 2 } }, "[null,\"a\",[2]]"),
            (new ArrayList { 1, "b" }, "[1,\"b\"]"), (Enumerable.Range(1, 3), "[1,2,3]"),
            (new Hashtable(), "{}"), (new Hashtable { ["a"] = 1 }, "{\"a\":1}"),
            (new Dictionary<int, bool> { [3] = true }, "{\"3\":true}"),
            (new OrderedDictionary { ["z"] = 1, ["a"] = new OrderedDictionary { ["y"] = 1 } }, "{\"z\":1,\"a\":{\"y\":1}}"),
        ];
        Assert.All(values, v => Assert.Equal($$"""{"v":{{v.Json}}}""", Write(new Hashtable { ["v"] = v.Value })));
    }

    [Theory]
    [InlineData("tab\t quote\" back\\slash \u001b")]
    [InlineData("ünïcode 漢字")]
    [InlineData("a pair \U0001F600 at the end \U0001F600")]
    [InlineData("<&>'+")]
    public void Text_comes_back_as_it_was_and_is_sent_as_ASCII(string text)
    {
        var json = Write(new Hashtable { [text] = text });
        Assert.All(json, c => Assert.InRange(c, ' ', '~'));
        var member = Assert.Single(JsonDocument.Parse(json).RootElement.EnumerateObject());
        Assert.Equal((text, text), (member.Name, member.Value.GetString()));
    }

    [Fact]
    public void Numbers_do_not_follow_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            var arguments = new OrderedDictionary { ["a"] = 1.5, ["b"] = 0.25m, ["c"] = -7 };
            Assert.Equal("""{"a":1.5,"b":0.25,"c":-7}""", Write(arguments));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void What_the_host_wraps_is_unwrapped_at_any_depth()
    {
        var arguments = new Wrapped(new Hashtable { ["a"] = new Wrapped(new object[] { new Wrapped(1), new Wrapped(null) }) });
        Assert.Equal("""{"a":[1,null]}""", Write(arguments, Unwrap));
    }

    [Fact]
    public void Arguments_are_copied_when_they_are_checked()
    {
        var list = new List<object> { 1 };
        var write = ArgumentWriter.Prepare("guest-x", new Hashtable { ["a"] = list })!;
        list.Add(new object());
        Assert.Equal("""{"a":[1]}""", Write(write));
        Assert.Equal("""{"a":[1]}""", Write(write));
    }

    [Fact]
    public void One_list_in_two_places_is_no_cycle()
    {
        var list = new[] { 1 };
        Assert.Equal("""{"a":[1],"b":[[1],[1]]}""", Write(new OrderedDictionary { ["a"] = list, ["b"] = new[] { list, list } }));
    }

    [Fact]
    public void A_list_that_contains_itself_is_refused()
    {
        var list = new ArrayList { 1 };
        list.Add(list);
        Refused(ErrorCatalogue.ArgumentCycle, "a[1]", new Hashtable { ["a"] = list });
    }

    [Fact]
    public void A_dictionary_that_contains_itself_is_refused()
    {
        var inner = new Hashtable();
        inner["up"] = new object[] { inner };
        Refused(ErrorCatalogue.ArgumentCycle, "a.up[0]", new Hashtable { ["a"] = inner });
        inner["up"] = inner;
        Refused(ErrorCatalogue.ArgumentCycle, "up", inner);
    }

    [Fact]
    public void Nesting_is_taken_up_to_the_bound_and_not_past_it()
    {
        var nested = Nested(RequestWriter.MaxDepth - 1);
        Assert.Equal(RequestWriter.MaxDepth - 1, Write(new Hashtable { ["a"] = nested }).Count(c => c == '['));
        var error = Refused(ErrorCatalogue.ArgumentTooDeep, null, new Hashtable { ["a"] = Nested(RequestWriter.MaxDepth) });
        Assert.StartsWith("a[0][0]", (string)error.Target!, StringComparison.Ordinal);

        static object Nested(int depth) => depth == 1 ? new object[] { 1 } : new[] { Nested(depth - 1) };
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_number_that_is_none_is_refused(double value)
    {
        Refused(ErrorCatalogue.ArgumentNumberInvalid, "a.b", new Hashtable { ["a"] = new Hashtable { ["b"] = value } });
        Refused(ErrorCatalogue.ArgumentNumberInvalid, "a", new Hashtable { ["a"] = (float)value });
    }

    [Fact]
    public void Half_a_character_is_refused_in_values_and_in_names()
    {
        foreach (var text in new[] { "\uD83D", "a\uD83Db", "\uDE00", "\uDE00\uD83D", "\U0001F600\uD83D" })
        {
            Refused(ErrorCatalogue.ArgumentTextInvalid, "a[1]", new Hashtable { ["a"] = new[] { "fine", text } });
            Refused(ErrorCatalogue.ArgumentTextInvalid, $"a.{text}", new Hashtable { ["a"] = new Hashtable { [text] = 1 } });
        }

        Refused(ErrorCatalogue.ArgumentTextInvalid, "a", new Hashtable { ["a"] = '\uD83D' });
    }

    [Theory]
    [InlineData("\uFFFE")]
    [InlineData("\uFDD0")]
    [InlineData("\U0001FFFF")]
    public void What_the_agent_s_parser_takes_for_no_character_is_refused(string text) =>
        Refused(ErrorCatalogue.ArgumentTextInvalid, "a", new Hashtable { ["a"] = text });

    [Fact]
    public void What_has_no_form_in_JSON_is_refused_by_its_place()
    {
        foreach (var value in new[] { new object(), DateTime.MinValue, Guid.Empty, new Uri("file:///x"), TimeSpan.Zero })
        {
            Refused(ErrorCatalogue.ArgumentTypeUnsupported, "a.b[2]",
                new Hashtable { ["a"] = new Hashtable { ["b"] = new[] { 1, "x", value } } });
        }
    }

    [Fact]
    public void What_is_longer_than_any_request_is_refused_before_it_is_written()
    {
        Refused(ErrorCatalogue.RequestTooLong, "a", new Hashtable { ["a"] = new string('x', (64 << 20) + 1) });
        Refused(ErrorCatalogue.RequestTooLong, "a", new Hashtable { ["a"] = new byte[(64 << 20) + 1] });
    }

    [Fact]
    public void Arguments_that_have_no_names_are_refused()
    {
        foreach (var arguments in new object[] { "text", 5, new[] { 1 }, new object() })
        {
            var error = Assert.Throws<GuestAgentException>(() => ArgumentWriter.Prepare("guest-x", arguments));
            Assert.Contains("'guest-x'", error.ShouldBe(ErrorCatalogue.ArgumentsNotAnObject).Message, StringComparison.Ordinal);
        }
    }

    private static GuestAgentException Refused(ErrorDefinition expected, string? path, object arguments)
    {
        var error = Assert.Throws<GuestAgentException>(() => ArgumentWriter.Prepare("guest-x", arguments)).ShouldBe(expected);
        if (path is not null)
        {
            Assert.Equal(SafeText.Escape(path), error.Target);
            Assert.Contains($"'{SafeText.Escape(path)}'", error.Message, StringComparison.Ordinal);
        }

        return error;
    }

    private static string Write(object arguments, Func<object, object?>? unwrap = null) =>
        Write(ArgumentWriter.Prepare("guest-x", arguments, unwrap)!);

    // As a request carries them.
    private static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new RequestBuffer();
        RequestWriter.Write(buffer, "guest-x", write, id: 5);
        var text = Encoding.UTF8.GetString(buffer.Written.Span);
        const string Start = """{"execute":"guest-x","arguments":""", End = ""","id":5}""" + "\n";
        Assert.StartsWith(Start, text, StringComparison.Ordinal);
        Assert.EndsWith(End, text, StringComparison.Ordinal);
        return text[Start.Length..^End.Length];
    }

    private static object? Unwrap(object value) => value is Wrapped wrapped ? wrapped.Value : value;

    private sealed record Wrapped(object? Value);
}
