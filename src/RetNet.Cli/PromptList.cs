using System.Globalization;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>Prompts of a file, one a line.</summary>
internal static class PromptList
{
    /// <summary>The lines that are not blank, without their line breaks; each has tokens.</summary>
    /// <exception cref="CommandException">The file cannot be read, has no prompt, or a line that no token is made of.</exception>
    public static IReadOnlyList<string> Read(string path, ModelTokenizer tokenizer)
    {
        var lines = TextFiles.Read(path).ReplaceLineEndings("\n").Split('\n');
        var prompts = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
                continue;
            RequireTokens(path, i + 1, lines[i], tokenizer);
            prompts.Add(lines[i]);
        }

        return prompts.Count > 0 ? prompts : throw new CommandException($"{path}: has no prompts; write one a line");
    }

    private static void RequireTokens(string path, int line, string prompt, ModelTokenizer tokenizer)
    {
        try
        {
            tokenizer.EncodePrompt(prompt);
        }
        catch (ModelException e)
        {
            throw new CommandException(string.Create(CultureInfo.InvariantCulture, $"{path}: line {line} has no tokens, and the model none that begins a text; leave it out"), e);
        }
    }
}
