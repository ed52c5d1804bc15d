using RetNet.Vulkan.Text;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

public sealed class TrainingDataTests : IDisposable
{
    private const int End = 0;
    private static readonly Tokenizer Tokenizer = Tokenizer.Parse(File.ReadAllText(Repository.Fixture("tokenizers", "demo.tokenizer.json")));
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(2, 5, 1)]
    [InlineData(6, 5, 1)]
    [InlineData(7, 5, 2)]
    [InlineData(101, 7, 15)]
    [InlineData(30, 1, 29)]
    public void EveryTokenButTheFirstIsForetoldOnce(int tokens, int length, int windows)
    {
        var packed = new PackedTokens([.. Enumerable.Range(0, tokens)], length);
        var (inputs, targets, seen) = (new int[length], new int[length], new List<int>());

        Assert.Equal(windows, packed.Windows);
        for (var window = 0; window < windows; window++)
        {
            var count = packed.Copy(window, inputs, targets);
            for (var i = 0; i < length; i++)
                Assert.Equal(i < count ? inputs[i] + 1 : PackedTokens.Ignored, targets[i]);
            seen.AddRange(targets.Take(count));
        }

        Assert.Equal(Enumerable.Range(1, tokens - 1), seen);
    }

    [Fact]
    public void OneTokenForetellsNothing() => Assert.Equal(0, new PackedTokens([4], 8).Windows);

    [Fact]
    public void EntropyOfItsOwnFrequencies()
    {
        Assert.Equal(Math.Log(2), new PackedTokens([9, 1, 2, 2, 1], 3).UnigramEntropy(), 12);
        Assert.Equal(0, new PackedTokens([9, 1, 1, 1], 3).UnigramEntropy(), 12);
    }

    [Fact]
    public void DocumentsStandBetweenEnds()
    {
        var data = Read(0, "One day.", "Two days.<|endoftext|>Three days.<|endoftext|>");

        int[] expected = [End, .. Tokenizer.Encode("One day."), End, .. Tokenizer.Encode("Two days."), End, .. Tokenizer.Encode("Three days."), End];
        Assert.Equal(expected, data.Training.Tokens);
        Assert.Equal(0, data.Validation.Windows);
    }

    [Fact]
    public void WhatBeginsADocumentMayDifferFromWhatEndsOne()
    {
        var data = TrainingData.Read([Write("a", "One day."), Write("b", "Two days.")], null, 0, Tokenizer, 7, End, 4, 4096);

        int[] expected = [7, .. Tokenizer.Encode("One day."), End, 7, .. Tokenizer.Encode("Two days."), End];
        Assert.Equal(expected, data.Training.Tokens);
    }

    [Fact]
    public void WholeDocumentsAreHeldOut()
    {
        var data = Read(0.3, "Once upon a time.<|endoftext|>There was a fox.<|endoftext|>It ran away.");

        int[] training = [End, .. Tokenizer.Encode("Once upon a time."), End, .. Tokenizer.Encode("There was a fox."), End];
        int[] validation = [End, .. Tokenizer.Encode("It ran away."), End];
        Assert.Equal(training, data.Training.Tokens);
        Assert.Equal(validation, data.Validation.Tokens);
    }

    [Fact]
    public void TheEndOfEachFileIsHeldOut()
    {
        var words = string.Join(' ', Enumerable.Repeat("the fox ran home and", 20));
        var data = Read(0.1, words, words);

        var each = Tokenizer.Encode(words).Length;
        Assert.InRange(data.Validation.Tokens.Length - 3, 2 * each * 0.08, 2 * each * 0.12);
        Assert.Equal(2 * each + 6, data.Training.Tokens.Length + data.Validation.Tokens.Length);
    }

    [Fact]
    public void AValidationFileOfItsOwn()
    {
        var data = TrainingData.Read([Write("a", "One day.")], Write("b", "Another."), 0.5, Tokenizer, End, End, 4, 4096);

        int[] training = [End, .. Tokenizer.Encode("One day."), End];
        int[] validation = [End, .. Tokenizer.Encode("Another."), End];
        Assert.Equal(training, data.Training.Tokens);
        Assert.Equal(validation, data.Validation.Tokens);
    }

    [Fact]
    public void FingerprintsTellTextsDivisionsAndLengthsApart()
    {
        string[] prints =
        [
            new TrainingData([1, 2, 3, 4], [5, 6], 2, 10).Fingerprint,
            new TrainingData([1, 2, 3], [4, 5, 6], 2, 10).Fingerprint,
            new TrainingData([1, 2, 3, 4], [5, 6], 3, 10).Fingerprint,
            new TrainingData([1, 2, 3, 4], [5, 7], 2, 10).Fingerprint,
        ];

        Assert.Equal(4, prints.Distinct().Count());
        Assert.Equal(prints[0], new TrainingData([1, 2, 3, 4], [5, 6], 2, 20).Fingerprint);
    }

    [Fact]
    public void AnEmptyTextIsRefused() => Refused("there is no text to train on", () => Read(0, ""));

    [Fact]
    public void ATextOfEndsIsRefused() => Refused("there is no text to train on", () => Read(0, "<|endoftext|><|endoftext|>"));

    [Fact]
    public void AnEmptyValidationTextIsRefused() =>
        Refused("there is no text to validate with", () => TrainingData.Read([Write("a", "One day.")], Write("b", ""), 0, Tokenizer, End, End, 4, 4096));

    [Fact]
    public void AMissingTextIsRefused() => Refused("none.txt: no such file", () => TrainingData.Read([_folder.File("none.txt")], null, 0, Tokenizer, End, End, 4, 4096));

    [Fact]
    public void AFolderIsRefused() => Refused("is a directory", () => TrainingData.Read([_folder.Path], null, 0, Tokenizer, End, End, 4, 4096));

    [Theory]
    [InlineData(12)]
    [InlineData(-1)]
    public void ATokenBeyondTheVocabularyIsRefused(int token)
    {
        Refused($"token {token} of the text is outside the model's vocabulary of 12", () => new TrainingData([1, 2, token], [], 2, 12));
        Refused($"token {token} of the text is outside the model's vocabulary of 12", () => new TrainingData([1, 2], [3, token], 2, 12));
    }

    [Fact]
    public void EveryEpochHasAnOrderOfItsOwn()
    {
        var (first, second, other) = (WindowOrder.Of(1000, 1, 0), WindowOrder.Of(1000, 1, 1), WindowOrder.Of(1000, 2, 0));

        Assert.Equal(first, WindowOrder.Of(1000, 1, 0));
        Assert.Equal(Enumerable.Range(0, 1000), first.Order());
        Assert.Equal(3, new[] { first, second, other }.Select(order => string.Join(',', order)).Distinct().Count());
        // Of a random permutation, one element stays in its place on average.
        Assert.InRange(first.Index().Count(place => place.Index == place.Item), 0, 8);
    }

    [Fact]
    public void EveryOrderOfAFewIsAsProbable()
    {
        var counts = Enumerable.Range(0, 6000).GroupBy(epoch => string.Join(',', WindowOrder.Of(3, 5, epoch))).Select(group => group.Count()).ToArray();

        Assert.Equal(6, counts.Length);
        Assert.All(counts, count => Assert.InRange(count, 880, 1120));
    }

    public void Dispose() => _folder.Dispose();

    private TrainingData Read(double share, params string[] texts) =>
        TrainingData.Read([.. texts.Select((text, i) => Write($"{i}.txt", text))], null, share, Tokenizer, End, End, length: 4, vocabulary: 4096);

    private string Write(string name, string text)
    {
        var path = _folder.File(name);
        File.WriteAllText(path, text);
        return path;
    }

    private static void Refused(string expected, Func<object> action)
    {
        var message = Assert.Throws<TrainingException>(action).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
