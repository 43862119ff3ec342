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
            $"{path} does not match the catalogue: run the tests once with {Repository.UpdateVariable}=1 in the environment, and review the change.");
    }

    private static string Render()
    {
        var text = new StringBuilder("""
            # about_QemuGuestAgent_Errors

            All errors of the module: the id, the message, and what to do.

            Scripts can test for the id: `$_.FullyQualifiedErrorId` starts with it. Every error also has a message, a category and a
            recommended action. A test keeps this list and the code in agreement.


            """);
        foreach (var error in ErrorCatalogue.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {error.Id}\n\n{Plain(error.Text)} ({error.Category})\n\n")
                .Append(CultureInfo.InvariantCulture, $"{Plain(error.RecommendedAction)}\n\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    // Format items are shown as an ellipsis.
    private static string Plain(string format) => Regex.Replace(format, @"\{\d+\}", "…").Replace("{{", "{").Replace("}}", "}");
}
