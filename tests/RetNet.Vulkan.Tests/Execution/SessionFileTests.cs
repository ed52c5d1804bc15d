using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Tests.Execution;

[Collection(TestDevices.Collection)]
public sealed class SessionFileTests(TestDevices devices) : IDisposable
{
    private const string Shape = "grouped values, plain eps, relu";
    private const string Model = "fingerprint";
    private static readonly int[] Prompt = [3, 250, 77];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string, StateType> DevicesAndTypes
    {
        get
        {
            var data = new TheoryData<int, string, StateType>();
            foreach (var device in TestDevices.All)
                foreach (var type in Enum.GetValues<StateType>())
                    data.Add((int)device[0], (string)device[1], type);
            return data;
        }
    }

    private string StatePath => _folder.File("session.state");

    [Theory]
    [MemberData(nameof(DevicesAndTypes))]
    public void ALoadedSessionGoesOnAsIfNothingHadHappened(int device, string name, StateType type)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], Shape, "f16", _folder.File("model.gguf"));
        var options = new SamplerOptions { Temperature = 1.5f, Seed = 8, RepeatPenalty = 1.3f, RepeatWindow = 20 };
        using var session = new RecurrentSession(model, type);
        var whole = session.Generate(Prompt, 40, options).ToArray();

        session.Reset();
        // The reader stops early: without running ahead, the session ends where the reader is.
        var first = session.Generate(Prompt, 40, options, runAhead: false).Take(17).ToArray();
        Assert.Equal((Prompt.Length + 16, whole[16]), (session.Position, session.Pending));
        SessionFile.Save(StatePath, session, options, Model);
        using var other = new RecurrentSession(model, type);
        other.Feed(new[] { 1, 2, 3 });
        var sampler = SessionFile.Load(StatePath, other, Model);

        Assert.Equal(options, sampler);
        Assert.Equal((session.Position, session.Pending), (other.Position, other.Pending));
        Assert.Equal(whole, first.Concat(other.Generate(new[] { other.Pending!.Value }, 23, sampler)));
    }

    [Fact]
    public void DamageAndOtherModelsAreRefusedAndTheSessionStays()
    {
        using var model = ModelShapes.Load(devices[(int)TestDevices.All.First()[0]], Shape, "f16", _folder.File("model.gguf"));
        using var session = new RecurrentSession(model);
        session.Feed(Prompt);
        SessionFile.Save(StatePath, session, SamplerOptions.Greedy, Model);
        var state = session.State.Read(0);

        Assert.Contains("another model", Refused(StatePath, session, "other").Message, StringComparison.Ordinal);
        var bytes = File.ReadAllBytes(StatePath);
        foreach (var (name, damaged) in new[] { ("flip", Flip(bytes, bytes.Length - 40)), ("short", bytes[..^100]), ("empty", []) })
        {
            var path = _folder.File(name);
            File.WriteAllBytes(path, damaged);
            var message = Refused(path, session, Model).Message;
            Assert.Contains(path, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }

        Assert.Contains("holds no saved session", Refused(_folder.File("model.gguf"), session, Model).Message, StringComparison.Ordinal);
        Assert.Equal(Prompt.Length, session.Position);
        Assert.Equal(state, session.State.Read(0));
    }

    private static GgufException Refused(string path, RecurrentSession session, string model) =>
        Assert.Throws<GgufException>(() => SessionFile.Load(path, session, model));

    private static byte[] Flip(byte[] bytes, int at)
    {
        byte[] copy = [.. bytes];
        copy[at] ^= 1;
        return copy;
    }
}
