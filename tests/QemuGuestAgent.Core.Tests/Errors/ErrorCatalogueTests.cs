using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Tests.Errors;

/// <summary>Every error has an id, a text and something to do about it.</summary>
public sealed class ErrorCatalogueTests
{
    public static TheoryData<string> Ids => [.. ErrorCatalogue.All.Select(definition => definition.Id)];

    [Fact]
    public void The_catalogue_holds_every_definition_once_under_its_field_s_name()
    {
        var fields = typeof(ErrorCatalogue).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            .Where(field => field.FieldType == typeof(ErrorDefinition)).ToList();
        Assert.NotEmpty(fields);
        Assert.All(fields, field => Assert.Equal(field.Name, ((ErrorDefinition)field.GetValue(null)!).Id));
        Assert.Equal(fields.Select(field => field.Name).Order(StringComparer.Ordinal),
            ErrorCatalogue.All.Select(definition => definition.Id).Order(StringComparer.Ordinal));
        Assert.Equal(fields.Count, fields.Select(field => field.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Text_and_action_are_sentences_with_their_arguments_in_place(string id)
    {
        var definition = ErrorCatalogue.All.Single(d => d.Id == id);
        var items = Regex.Matches(definition.Text + definition.RecommendedAction, @"(?<!\{)\{(\d)\}");
        var count = items.Select(item => int.Parse(item.Groups[1].Value, CultureInfo.InvariantCulture)).Append(-1).Max() + 1;
        var arguments = Enumerable.Range(0, count).Select(i => (object)$"<{i}>").ToArray();
        var error = definition.WithTarget("target", arguments);

        Assert.True(Enum.IsDefined(definition.Category));
        Assert.Equal((id, definition.Category, (object)"target"), (error.ErrorId, error.Category, error.Target));
        Assert.Matches(@"^[A-Z'<].*\S$", error.Message);
        Assert.Matches(@"^[A-Z].*[^.]\.$", error.RecommendedAction);
        Assert.DoesNotMatch(@"\{\d|\{\{|\}\}|  ", error.Message + error.RecommendedAction);

        // Each argument is used, in the text or in the action.
        var said = error.Message + error.RecommendedAction;
        Assert.All(arguments, argument => Assert.Contains((string)argument, said, StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_of_a_guest_s_text_acts_on_a_terminal_or_forges_a_line()
    {
        var text = "bad\u001b[2J\r\n\u202E {0} {9}\uD800";
        var error = ErrorCatalogue.AgentError.With("guest-x", "unix:/x", text, "Class\u0007");
        Assert.DoesNotContain(
            error.Message + error.RecommendedAction, c => char.IsControl(c) || char.IsSurrogate(c) || c == '\u202E');
        Assert.Contains(@"bad\u001B[2J\u000D\u000A\u202E {0} {9}\uD800", error.Message, StringComparison.Ordinal);
        Assert.Contains(@"Class\u0007", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_text_of_a_guest_is_cut()
    {
        var error = ErrorCatalogue.AgentError.With("guest-x", "unix:/x", new string('x', 1_000_000), "GenericError");
        Assert.InRange(error.Message.Length, 2048, 2200);
    }

    [Theory]
    [InlineData(0.1999952, " 0.2 seconds")]
    [InlineData(60.0, " 60 seconds")]
    public void Seconds_have_no_more_digits_than_anybody_wants(double seconds, string expected)
    {
        var error = ErrorCatalogue.CommandTimedOut.With("guest-x", "unix:/x", seconds);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reason_that_is_a_sentence_gives_no_second_full_stop() =>
        Assert.EndsWith(": File not found.", ErrorCatalogue.EndpointUnreachable.With("x", "File not found.").Message, StringComparison.Ordinal);

    [Fact]
    public void What_led_to_an_error_is_kept()
    {
        var cause = new IOException("broken");
        Assert.Same(cause, ErrorCatalogue.ConnectionLost.BecauseWithTarget(cause, "target", "unix:/x", cause.Message).InnerException);
    }
}
