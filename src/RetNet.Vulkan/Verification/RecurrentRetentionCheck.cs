using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_recurrent*: one token on a state of any past; heads, tiles and columns that do not divide.</summary>
internal sealed class RecurrentRetentionCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const float Eps = 1e-2f;

    private static readonly Form[] Forms =
        [new(64, 8, 6, true, true), new(32, 32, 10, false, true), new(256, 8, 64, true, false), new(8, 8, 2, false, false)];

    /// <summary>Where lanes own columns, a workgroup is one subgroup.</summary>
    private bool IsSubgroup => Variant.Contains("_lane", StringComparison.Ordinal);

    private static readonly Shape[] Shapes = [new(4, 2, 7, 1), new(3, 1, 54, 71), new(1, 1, 1, 12_345_678), new(2, 1, 132, 2)];

    private readonly record struct Form(uint Threads, uint TileLanes, int KeySize, bool Gated, bool EpsScaled);

    private readonly record struct Shape(int Heads, int Group, int ValueSize, uint Consumed)
    {
        public int Vectors => (ValueSize + 3) / 4;
    }

    private protected override void Run(CheckRun run)
    {
        var lanes = run.Device.Capabilities.SubgroupSize;
        foreach (var form in Forms.Select(form => IsSubgroup ? form with { Threads = lanes, TileLanes = lanes } : form))
        {
            using var kernel = new Kernel<RetentionArguments>(
                run.Device, Variant, form.Threads, form.TileLanes, (uint)form.KeySize, Constant.Of(form.Gated), Constant.Of(form.EpsScaled));
            foreach (var shape in Shapes)
                new Case(run, form, shape, CheckState.TypeOf(Variant)).Run(kernel);
        }
    }

    private sealed class Case
    {
        private readonly CheckRun _run;
        private readonly Form _form;
        private readonly Shape _shape;
        private readonly float[] _queries;
        private readonly float[] _keys;
        private readonly float[] _values;
        private readonly float[] _gates;
        private readonly float[] _weight;
        private readonly CheckState _kept;
        private readonly byte[] _stored;
        private readonly double[] _state;
        private readonly float[] _decay;
        private readonly float[] _angles;

        public Case(CheckRun run, Form form, Shape shape, StateType stateType)
        {
            (_run, _form, _shape) = (run, form, shape);
            var keyHeads = shape.Heads / shape.Group;
            (_queries, _keys) = (run.Values(shape.Heads * form.KeySize), run.Values(keyHeads * form.KeySize));
            (_values, _gates) = (run.Values(keyHeads * shape.ValueSize), run.Values(shape.Heads * shape.ValueSize));
            _weight = run.Values(shape.ValueSize);
            (_decay, _angles) = (CheckDecay.Of(shape.Heads), CheckDecay.Angles(form.KeySize));
            _kept = new(stateType, _decay, form.KeySize * shape.Vectors * 4);
            // Columns past the last one are zero, as they are in a state that began with zeros.
            _stored = _kept.Encode([.. Enumerable.Range(0, shape.Heads * form.KeySize).SelectMany(_ => run.Values(shape.ValueSize, shape.Vectors * 4))]);
            _state = _kept.Decode(_stored, shape.Consumed - 1);
        }

        public void Run(Kernel<RetentionArguments> kernel)
        {
            var arena = _run.Arena;
            var tiles = (_shape.Vectors + (int)_form.TileLanes - 1) / (int)_form.TileLanes;
            arena.Clear();
            var state = arena.AddOutput<byte>("state", _stored);
            var y = arena.AddOutput<float>("y", _run.Values(_gates.Length));
            var squares = arena.AddOutput<float>("squares", _run.Values(_shape.Heads * tiles));
            var arguments = new RetentionArguments
            {
                Q = arena.Add<float>("queries", _queries),
                K = arena.Add<float>("keys", _keys),
                V = arena.Add<float>("values", _values),
                G = arena.Add<float>("gates", _gates),
                HeadWeight = arena.Add<float>("weight", _weight),
                State = state,
                Decay = arena.Add<float>("decay", RetNetModel.DecayTable(_decay)),
                Angles = arena.Add<ulong>("angles", RetNetModel.AngleTable(_angles)),
                Position = arena.Add<uint>("position", [_shape.Consumed]),
                Y = y,
                Squares = squares,
                ValueSize = (uint)_shape.ValueSize,
                ValueVectors = (uint)_shape.Vectors,
                Group = (uint)_shape.Group,
                KeyScale = 1 / MathF.Sqrt(_form.KeySize),
                Eps = Eps,
            };
            _run.Run($"{_form}, {_shape}", recorder => recorder.Dispatch(kernel, arguments, (uint)tiles, (uint)_shape.Heads));

            var (expectedState, expectedY, expectedSquares) = Expected();
            _run.Compare<double>("state", expectedState, _kept.Decode(arena.Read<byte>(state, _stored.Length), _shape.Consumed), _kept.Slack);
            _run.Compare<float>("y", expectedY, arena.Read<float>(y, _gates.Length));
            // How a head's sum is spread over its tiles is the kernel's own affair.
            _run.Compare<float>("Σo²", expectedSquares, [.. arena.Read<float>(squares, _shape.Heads * tiles).Chunk(tiles).Select(head => head.Sum())]);
        }

        private (double[] State, double[] Y, double[] Squares) Expected()
        {
            var (keySize, valueSize, padded) = (_form.KeySize, _shape.ValueSize, _shape.Vectors * 4);
            var queries = Rotation.Apply([.. _queries], _shape.Heads, _angles, _shape.Consumed - 1, 1);
            var keys = Rotation.Apply([.. _keys], _shape.Heads / _shape.Group, _angles, _shape.Consumed - 1, 1 / Math.Sqrt(keySize));
            var (allStates, y, squares) = (new double[_state.Length], new double[_gates.Length], new double[_shape.Heads]);
            for (var head = 0; head < _shape.Heads; head++)
            {
                var source = head / _shape.Group;
                var state = new double[keySize * valueSize];
                for (var i = 0; i < state.Length; i++)
                    state[i] = _state[(head * keySize + i / valueSize) * padded + i % valueSize];
                var o = new double[valueSize];
                RecurrentRetention.Apply(
                    new RetentionHead
                    {
                        Decay = _decay[head],
                        KeySize = keySize,
                        ValueSize = valueSize,
                        Queries = queries.AsSpan(head * keySize, keySize),
                        Keys = keys.AsSpan(source * keySize, keySize),
                        Values = _values.Skip(source * valueSize).Take(valueSize).Select(value => (double)value).ToArray(),
                    },
                    state, o);
                for (var i = 0; i < state.Length; i++)
                    allStates[(head * keySize + i / valueSize) * padded + i % valueSize] = state[i];
                for (var i = 0; i < valueSize; i++)
                    y[head * valueSize + i] = o[i] * _weight[i] * (_form.Gated ? Reference.Activations.Silu(_gates[head * valueSize + i]) : 1);
                squares[head] = o.Sum(value => value * value) + valueSize * (double)Eps * (_form.EpsScaled ? DecaySum.Of(_decay[head], _shape.Consumed - 1) : 1);
            }

            return (allStates, y, squares);
        }
    }
}
