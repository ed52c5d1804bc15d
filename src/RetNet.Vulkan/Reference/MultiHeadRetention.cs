using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>Retention of all heads of one layer, of which several may share keys and values.</summary>
internal sealed class MultiHeadRetention(RetNetConfig config)
{
    private readonly int _group = config.Heads / config.KeyValueHeads;

    /// <summary>Un-normalised retention, [H, T, dv].</summary>
    /// <param name="query">Rotated queries, [H, T, dk].</param>
    /// <param name="key">Scaled and rotated keys, [key/value heads, T, dk].</param>
    /// <param name="value">Values, [key/value heads, T, dv].</param>
    /// <param name="state">The state before the tokens, [H, dk, dv]; replaced by the state after them.</param>
    /// <param name="form">By which formula.</param>
    /// <param name="tape">Records the way back.</param>
    public double[] Apply(double[] query, double[] key, double[] value, double[] state, RetentionForm form, Tape? tape)
    {
        var before = tape is null ? [] : (double[])state.Clone();
        var output = new double[query.Length / config.KeySize * config.ValueSize];
        Parallel.For(0, config.Heads, head => form.Forward(Head(head, query, key, value), State(state, head), Of(output, head)));
        tape?.Record(output, gradient => Backward(
            form, (query, key, value, before), (tape.Gradient(query), tape.Gradient(key), tape.Gradient(value), tape.Gradient(state)), gradient));
        return output;
    }

    /// <summary>Heads that share keys and values add to the same gradients, so they go one after the other.</summary>
    private void Backward(
        RetentionForm form,
        (double[] Query, double[] Key, double[] Value, double[] State) input,
        (double[] Query, double[] Key, double[] Value, double[] State) gradients,
        double[] outputGradient) => Parallel.For(0, config.KeyValueHeads, source =>
    {
        for (var head = source * _group; head < (source + 1) * _group; head++)
        {
            var gradient = new RetentionHeadGradient
            {
                KeySize = config.KeySize,
                ValueSize = config.ValueSize,
                Outputs = Of(outputGradient, head),
                Queries = Of(gradients.Query, head),
                Keys = Shared(gradients.Key, head),
                Values = Shared(gradients.Value, head),
            };
            form.Backward(Head(head, input.Query, input.Key, input.Value), State(input.State, head), State(gradients.State, head), gradient);
        }
    });

    private RetentionHead Head(int head, double[] query, double[] key, double[] value) => new()
    {
        Decay = config.Decay[head],
        KeySize = config.KeySize,
        ValueSize = config.ValueSize,
        Queries = Of(query, head),
        Keys = Shared(key, head),
        Values = Shared(value, head),
    };

    /// <summary>The part of a head.</summary>
    private Span<double> Of(double[] values, int head) => Part(values, head, config.Heads);

    /// <summary>The part that a head shares with the others of its group.</summary>
    private Span<double> Shared(double[] values, int head) => Part(values, head / _group, config.KeyValueHeads);

    private Span<double> State(double[] state, int head) => Part(state, head, config.Heads);

    private static Span<double> Part(double[] values, int part, int parts) => values.AsSpan(values.Length / parts * part, values.Length / parts);
}
