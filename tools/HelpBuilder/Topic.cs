namespace HelpBuilder;

/// <summary>What a person wrote about a cmdlet.</summary>
internal sealed record Topic(IReadOnlyList<string> Description, IReadOnlyList<Example> Examples);

/// <summary>An example: code, its output where that is always the same, and what there is to say of it.</summary>
internal sealed record Example(string Title, string Code, string? Output, IReadOnlyList<string> Remarks);
