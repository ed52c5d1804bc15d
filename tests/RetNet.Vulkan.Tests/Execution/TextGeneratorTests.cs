using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Execution;

[Collection(TestDevices.Collection)]
public sealed class TextGeneratorTests : IDisposable
{
    private static readonly GenerationOptions Greedy = new() { Sampler = SamplerOptions.Greedy, MaxTokens = 24, IgnoreEnd = true };
    private readonly TemporaryFolder _folder = new();
    private readonly GgufFile _file;
    private readonly RetNetModel _model;
    private readonly RecurrentSession _session;
    private readonly ModelTokenizer _tokenizer;
    private readonly TextGenerator _generator;

    public TextGeneratorTests(TestDevices devices)
    {
        var path = _folder.File("model.gguf");
        TextModel.Write(path);
        _file = GgufFile.Open(path);
        var device = devices[(int)TestDevices.All.First()[0]];
        _model = RetNetModel.Load(device, _file, RecurrentSession.Plan(device, RetNetGguf.ReadConfig(_file)));
        _session = new RecurrentSession(_model);
        _tokenizer = ModelTokenizer.Load(_file, _model.Config.VocabularySize);
        _generator = new TextGenerator(_session, _tokenizer);
    }

    public void Dispose()
    {
        _session.Dispose();
        _model.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void TextIsThatOfTheSampledTokens()
    {
        var tokens = _session.Generate(_tokenizer.EncodePrompt("Once"), 24, SamplerOptions.Greedy).ToArray();
        _session.Reset();

        var text = string.Concat(_generator.Generate("Once", Greedy));

        Assert.Equal(_tokenizer.Tokenizer.Decode(tokens, skipSpecial: true), text);
        Assert.Equal(StopReason.Length, _generator.Statistics!.Reason);
        Assert.Equal(24, _generator.Statistics.Tokens);
        Assert.Equal(1 + _tokenizer.Tokenizer.Encode("Once").Length, _generator.Statistics.PromptTokens);
    }

    [Fact]
    public void AStopStringEndsTheTextBeforeIt()
    {
        var whole = string.Concat(_generator.Generate("Once", Greedy));
        var stop = whole.Substring(whole.Length / 2, 3);
        _session.Reset();

        var text = string.Concat(_generator.Generate("Once", Greedy with { Stops = [stop] }));

        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], text);
        Assert.Equal(StopReason.StopString, _generator.Statistics!.Reason);
    }

    [Fact]
    public void ALongPromptTakenInPiecesGivesTheSameText()
    {
        var prompt = string.Concat(Enumerable.Repeat("the old man and the sea. ", 120));
        var ids = _tokenizer.EncodePrompt(prompt);
        var tokens = _session.Generate(ids, 5, SamplerOptions.Greedy).ToArray();
        _session.Reset();

        var text = string.Concat(_generator.Generate(prompt, Greedy with { MaxTokens = 5 }));

        Assert.True(ids.Length > 700);
        Assert.Equal(_tokenizer.Tokenizer.Decode(tokens, skipSpecial: true), text);
    }

    [Fact]
    public void CancellingEndsTheText()
    {
        using var source = new CancellationTokenSource();
        var pieces = 0;
        foreach (var _ in _generator.Generate("Once", Greedy with { MaxTokens = null }, cancellation: source.Token))
            if (++pieces == 3)
                source.Cancel();

        Assert.Equal(StopReason.Cancelled, _generator.Statistics!.Reason);
        Assert.InRange(_generator.Statistics.Tokens, 3, 10);
    }

    [Fact]
    public void CancelledBeforeItStartsItSamplesNothing()
    {
        Assert.Empty(_generator.Generate("Once", Greedy, cancellation: new CancellationToken(canceled: true)));
        Assert.Equal((StopReason.Cancelled, 0), (_generator.Statistics!.Reason, _generator.Statistics.Tokens));
    }

    [Fact]
    public void AnEmptyPromptIsTheTokenThatBeginsAText() => Assert.Equal([0], _tokenizer.EncodePrompt(""));
}
