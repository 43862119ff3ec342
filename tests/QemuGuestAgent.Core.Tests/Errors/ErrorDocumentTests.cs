using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Tests.Errors;

public sealed class ErrorDocumentTests
{
    [Fact]
    public void The_document_lists_every_error_as_the_catalogue_has_it()
    {
        var path = Path.Combine(Repository.Root, "docs", "en-US", "about_QemuGuestAgent_Errors.md");
        var expected = Render();
        if (Repository.IsToBeUpdated)
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(
            File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == expected,
            $"{path} is not what the catalogue says: run the tests once with {Repository.UpdateVariable}=1 in the environment, and look at the change.");
    }

    private static string Render()
    {
        var text = new StringBuilder("""
            # about_QemuGuestAgent_Errors

            Every error of the module: its id, what it says, and what to do about it.

            Scripts may decide by the id: `$_.FullyQualifiedErrorId` starts with it, and the message, the category and a recommended
            action come with it. A test holds this list and the code together.


            """);
        foreach (var error in ErrorCatalogue.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {error.Id}\n\n{Plain(error.Text)} ({error.Category})\n\n")
                .Append(CultureInfo.InvariantCulture, $"{Plain(error.RecommendedAction)}\n\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    // What is filled in is shown as an ellipsis.
    private static string Plain(string format) => Regex.Replace(format, @"\{\d+\}", "…").Replace("{{", "{").Replace("}}", "}");
}
