using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>A unigram model in double precision on the processor, trained by SGD with momentum: all that the loop needs of a model.</summary>
internal sealed class FakeModel : ITrainable
{
    public const int Vocabulary = 13;
    private const string WeightName = "token_embd.weight";
    private const string MomentName = "token_embd.weight.first_moment";

    private float[] _logits = new float[Vocabulary];
    private float[] _momentum = new float[Vocabulary];
    private readonly double[] _gradient = new double[Vocabulary];

    public FakeModel(int sequences) => Sequences = sequences;

    public RetNetConfig Config { get; } = RandomModel.Shape(1, 1, 1, 2, 2, 1, Vocabulary);

    public int Sequences { get; }

    public IReadOnlyList<TensorShape> Weights { get; } = [new(WeightName, [1, Vocabulary], Required: true)];

    public IReadOnlyList<TensorShape> State { get; } = [new(MomentName, [1, Vocabulary], Required: true)];

    public long Updates { get; set; }

    /// <summary>What each call of <see cref="Accumulate"/> got.</summary>
    public List<(int[] Tokens, int[] Targets, double Scale)> Passes { get; } = [];

    /// <summary>Called before each update; what it returns replaces the norm.</summary>
    public Func<double, double> Norm { get; set; } = norm => norm;

    /// <summary>Checkpoints that fit on the disk.</summary>
    public int Room { get; set; } = int.MaxValue;

    public Func<double, double> Loss { get; set; } = loss => loss;

    public void ZeroGradients() => Array.Clear(_gradient);

    public double Accumulate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale)
    {
        Passes.Add((tokens.ToArray(), targets.ToArray(), scale));
        var probabilities = Probabilities();
        foreach (var target in targets)
            for (var i = 0; i < Vocabulary && target >= 0; i++)
                _gradient[i] += scale * (probabilities[i] - (i == target ? 1 : 0));
        return Loss(Evaluate(tokens, targets));
    }

    public double Evaluate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets)
    {
        var (probabilities, sum) = (Probabilities(), 0.0);
        foreach (var target in targets)
            sum -= target >= 0 ? Math.Log(probabilities[target]) : 0;
        return sum;
    }

    public double Update(double learningRate, double lossScale)
    {
        var norm = Norm(Math.Sqrt(_gradient.Sum(value => value * value)) / lossScale);
        if (!double.IsFinite(norm))
            return norm;
        Updates++;
        for (var i = 0; i < Vocabulary; i++)
        {
            _momentum[i] = (float)(0.9 * _momentum[i] + _gradient[i] / lossScale);
            _logits[i] -= (float)(learningRate * _momentum[i]);
        }

        return norm;
    }

    public float[] ReadWeight(string name) => name == WeightName ? _logits : throw new KeyNotFoundException(name);

    public float[] ReadState(string name) => Room-- == 0 ? throw new IOException("No space left on device")
        : name == MomentName ? _momentum
        : throw new KeyNotFoundException(name);

    public void WriteState(string name, ReadOnlySpan<float> values) => _momentum = values.ToArray();

    /// <summary>Weights come from the model's file.</summary>
    public void LoadWeights(ReadOnlySpan<float> values) => _logits = values.ToArray();

    public void Dispose()
    {
    }

    private double[] Probabilities()
    {
        var exponentials = _logits.Select(logit => Math.Exp(logit)).ToArray();
        return [.. exponentials.Select(value => value / exponentials.Sum())];
    }
}
