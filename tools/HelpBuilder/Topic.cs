namespace HelpBuilder;

/// <summary>What a person wrote about a cmdlet.</summary>
internal sealed record Topic(IReadOnlyList<string> Description, IReadOnlyList<Example> Examples);

/// <summary>An example: code, and what there is to say of it.</summary>
internal sealed record Example(string Title, string Code, IReadOnlyList<string> Remarks);
