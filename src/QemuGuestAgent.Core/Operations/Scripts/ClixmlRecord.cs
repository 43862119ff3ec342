using System.Xml;

namespace QemuGuestAgent.Core.Operations.Scripts;

/// <summary>
/// Looks at a record of PowerShell's CLIXML before PowerShell makes objects of it: it goes through them again and again by recursion,
/// and ends with its process where that never comes to an end.
/// </summary>
internal static class ClixmlRecord
{
    // PowerShell writes no deeper than it was told to, here two levels, each of a few elements; it reads no deeper than 50.
    private const int MaxDepth = 64;

    // Counted as if each reference were what it refers to: that is how often PowerShell comes by.
    private const long MaxValues = 10_000_000;

    private static readonly XmlReaderSettings Settings = new()
    {
        CheckCharacters = false,
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
    };

    /// <summary>Refuses what PowerShell has not written.</summary>
    /// <exception cref="FormatException">A list holds itself, or it is too deep or too much, or names a type to become.</exception>
    /// <exception cref="XmlException">It is no XML, or has a document type.</exception>
    public static void Check(string content)
    {
        var open = new Stack<Element>();
        var known = new Dictionary<string, Element>(StringComparer.Ordinal);
        using var reader = XmlReader.Create(new StringReader(content), Settings);
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element)
            {
                // PowerShell would make an object of any type of it, by whatever converts to that.
                var name = XmlConvert.DecodeName(reader.GetAttribute("N"));
                if (string.Equals(name, "TargetTypeForDeserialization", StringComparison.OrdinalIgnoreCase))
                {
                    throw new FormatException("a record names a type to be converted to.");
                }

                var isEmpty = reader.IsEmptyElement;
                open.Push(Start(reader, known, open));
                if (open.Count + open.Peek().Depth > MaxDepth)
                {
                    throw new FormatException($"a record is nested deeper than {MaxDepth} levels.");
                }

                if (!isEmpty)
                {
                    continue;
                }
            }
            else if (reader.NodeType != XmlNodeType.EndElement)
            {
                continue;
            }

            Close(open);
        }
    }

    private static Element Start(XmlReader reader, Dictionary<string, Element> known, Stack<Element> open)
    {
        var id = reader.GetAttribute("RefId");
        if (reader.LocalName == "Ref")
        {
            // What it does not know PowerShell refuses itself.
            if (id is null || !known.TryGetValue(id, out var target))
            {
                return new Element();
            }

            // A member may lead back, as from a drive to its provider, which lists its drives. Items of lists are gone through by themselves.
            return !target.IsOpen ? new Element { Depth = target.Depth, Values = target.Values }
                : open.TakeWhile(element => element != target).Any(element => element.HoldsMembers) ? new Element()
                : throw new FormatException("a record refers to itself.");
        }

        var element = new Element { HoldsMembers = reader.LocalName is "Props" or "MS" };
        if (id is not null && reader.LocalName == "Obj")
        {
            if (known.ContainsKey(id))
            {
                throw new FormatException($"a record has two objects with the number {id}.");
            }

            known.Add(id, element);
        }

        return element;
    }

    private static void Close(Stack<Element> open)
    {
        var element = open.Pop();
        element.IsOpen = false;
        if (open.Count > 0)
        {
            var parent = open.Peek();
            parent.Depth = Math.Max(parent.Depth, element.Depth + 1);
            parent.Values += element.Values;
            if (parent.Values > MaxValues)
            {
                throw new FormatException($"a record has more than {MaxValues} values.");
            }
        }
    }

    // An element, with the levels below it and the values in it.
    private sealed class Element
    {
        public bool IsOpen { get; set; } = true;

        public bool HoldsMembers { get; init; }

        public int Depth { get; set; } = 1;

        public long Values { get; set; } = 1;
    }
}
