using System.Numerics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// retention_recurrent*: one token of sequences with states of any past; heads, tiles and columns that do not divide. Nothing of a
/// sequence without steps left changes, nor what lies between the sequences. Outputs in f16 are divided by √S_n.
/// </summary>
internal sealed class RecurrentRetentionCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const float Eps = 1e-2f;

    /// <summary>What f16 outputs are off more than f32 ones.</summary>
    private const double HalfSlack = 170;

    private static readonly Form[] Forms =
        [new(64, 8, 6, true, true, true), new(32, 32, 10, false, true, true), new(256, 8, 64, true, false, true), new(8, 8, 2, false, false, false)];

    /// <summary>Where lanes own columns, a workgroup is one subgroup.</summary>
    private bool IsSubgroup => Variant.Contains("_lane", StringComparison.Ordinal);

    private bool HasHalfOutput => Variant.EndsWith("_half", StringComparison.Ordinal);

    private static readonly Shape[] Shapes =
        [new(4, 2, 7, 1), new(3, 1, 54, 71, 5), new(1, 1, 1, 12_345_678, 2), new(2, 1, 132, 2), new(2, 2, 10, 1, 3)];

    private readonly record struct Form(uint Threads, uint TileLanes, int KeySize, bool Gated, bool EpsScaled, bool Weighted);

    /// <summary>Every second sequence has no steps left; each has consumed some tokens more than the one before it.</summary>
    private readonly record struct Shape(int Heads, int Group, int ValueSize, uint Consumed, int Sequences = 1)
    {
        public int KeyHeads => Heads / Group;

        public int Vectors => (ValueSize + 3) / 4;

        public uint ConsumedBy(int sequence) => Consumed + (uint)(sequence * 37);

        public static bool IsLive(int sequence) => sequence % 2 == 0;
    }

    private protected override void Run(CheckRun run)
    {
        var lanes = run.Device.Capabilities.SubgroupSize;
        foreach (var form in Forms.Select(form => IsSubgroup ? form with { Threads = lanes, TileLanes = lanes } : form))
        {
            using var kernel = new Kernel<RetentionArguments>(
                run.Device, Variant, form.Threads, form.TileLanes, (uint)form.KeySize, Constant.Of(form.Gated), Constant.Of(form.EpsScaled), Constant.Of(form.Weighted));
            foreach (var shape in Shapes)
            {
                var test = new Case(run, form, shape, CheckState.TypeOf(Variant));
                if (HasHalfOutput)
                    test.Run<Half>(kernel, HalfSlack);
                else
                    test.Run<float>(kernel, slack: 1);
            }
        }
    }

    private sealed class Case
    {
        private const int Gap = 4;

        private readonly CheckRun _run;
        private readonly Form _form;
        private readonly Shape _shape;
        private readonly float[] _projections;
        private readonly float[] _weight;
        private readonly float[] _yBefore;
        private readonly float[] _squaresBefore;
        private readonly CheckState _kept;
        private readonly byte[][] _stored;
        private readonly byte[] _gap;
        private readonly float[] _decay;
        private readonly float[] _angles;

        public Case(CheckRun run, Form form, Shape shape, StateType stateType)
        {
            (_run, _form, _shape) = (run, form, shape);
            _projections = run.Values(shape.Sequences * Stride);
            _yBefore = run.Values(shape.Sequences * OutputStride);
            _squaresBefore = run.Values(shape.Sequences * shape.Heads * Tiles);
            _weight = run.Values(shape.ValueSize);
            (_decay, _angles) = (CheckDecay.Of(shape.Heads), CheckDecay.Angles(form.KeySize));
            _kept = new(stateType, _decay, form.KeySize * shape.Vectors * 4);
            _stored = [.. Enumerable.Range(0, shape.Sequences).Select(_ => _kept.Encode(RandomState()))];
            _gap = _kept.Encode(run.Values(Gap * 4));
        }

        private int Stride => (_shape.Heads + _shape.KeyHeads) * _form.KeySize + (_shape.KeyHeads + _shape.Heads) * _shape.ValueSize + Gap;

        private int OutputStride => _shape.Heads * _shape.ValueSize + Gap;

        private int Tiles => (_shape.Vectors + (int)_form.TileLanes - 1) / (int)_form.TileLanes;

        private int SlotBytes => _stored[0].Length + _gap.Length;

        /// <summary>Runs the case on a kernel whose y is of a type, and may be off so many times more than f32.</summary>
        public void Run<T>(Kernel<RetentionArguments> kernel, double slack)
            where T : unmanaged, INumberBase<T>
        {
            var arena = _run.Arena;
            arena.Clear();
            byte[] states = [.. _stored.SelectMany(slot => slot.Concat(_gap))];
            var state = arena.AddOutput<byte>("state", states);
            T[] yBefore = [.. _yBefore.Select(T.CreateSaturating)];
            var y = arena.AddOutput<T>("y", yBefore);
            var squares = arena.AddOutput<float>("squares", _squaresBefore);
            var arguments = new RetentionArguments
            {
                Projections = arena.Add<float>("projections", _projections),
                HeadWeight = arena.Add<float>("weight", _weight),
                State = state,
                Decay = arena.Add<float>("decay", RetNetModel.DecayTable(_decay)),
                Angles = arena.Add<ulong>("angles", RetNetModel.AngleTable(_angles)),
                Positions = arena.Add<uint>("positions", [.. Enumerable.Range(0, _shape.Sequences).Select(_shape.ConsumedBy)]),
                StepsLeft = arena.Add<uint>("steps left", [.. Enumerable.Range(0, _shape.Sequences).Select(sequence => Shape.IsLive(sequence) ? 3u : 0)]),
                Y = y,
                Squares = squares,
                Stride = (uint)Stride,
                OutputStride = (uint)OutputStride,
                SlotVectors = (uint)(_form.KeySize * _shape.Heads * _shape.Vectors + Gap),
                ValueSize = (uint)_shape.ValueSize,
                ValueVectors = (uint)_shape.Vectors,
                Group = (uint)_shape.Group,
                KeyScale = 1 / MathF.Sqrt(_form.KeySize),
                Eps = Eps,
            };
            _run.Run($"{_form}, {_shape}", recorder => recorder.Dispatch(kernel, arguments, (uint)Tiles, (uint)_shape.Heads, (uint)_shape.Sequences));
            Compare<T>(arena.Read<byte>(state, states.Length), yBefore, arena.Read<T>(y, yBefore.Length), arena.Read<float>(squares, _squaresBefore.Length), slack);
        }

        private void Compare<T>(byte[] state, T[] yBefore, T[] y, float[] squares, double slack)
            where T : unmanaged, INumberBase<T>
        {
            for (var sequence = 0; sequence < _shape.Sequences; sequence++)
            {
                var slot = state.AsSpan(sequence * SlotBytes, SlotBytes);
                var row = y.AsSpan(sequence * OutputStride, OutputStride);
                var sums = squares.AsSpan(sequence * _shape.Heads * Tiles, _shape.Heads * Tiles);
                Unchanged("behind a state", _gap, slot[_stored[sequence].Length..]);
                Unchanged<T>("behind y", yBefore.AsSpan(sequence * OutputStride, OutputStride)[^Gap..], row[^Gap..]);
                if (Shape.IsLive(sequence))
                {
                    var (expectedState, expectedY, expectedSquares) = Expected(sequence);
                    _run.Compare<double>("state", expectedState, _kept.Decode(slot[.._stored[sequence].Length].ToArray(), _shape.ConsumedBy(sequence)), _kept.Slack);
                    for (var head = 0; head < _shape.Heads && typeof(T) == typeof(Half); head++)
                    {
                        var sum = DecaySum.Of(_decay[head], _shape.ConsumedBy(sequence) - 1);
                        expectedSquares[head] /= sum;
                        foreach (ref var value in expectedY.AsSpan(head * _shape.ValueSize, _shape.ValueSize))
                            value /= Math.Sqrt(sum);
                    }

                    _run.Compare<T>("y", expectedY, row[..^Gap], slack);
                    // How a head's sum is spread over its tiles is the kernel's own affair.
                    _run.Compare<float>("Σo²", expectedSquares, [.. sums.ToArray().Chunk(Tiles).Select(head => head.Sum())]);
                }
                else
                {
                    Unchanged("the state of a sequence that has ended", _stored[sequence], slot[.._stored[sequence].Length]);
                    Unchanged<T>("y of a sequence that has ended", yBefore.AsSpan(sequence * OutputStride, OutputStride), row);
                    Unchanged<float>("Σo² of a sequence that has ended", _squaresBefore.AsSpan(sequence * sums.Length, sums.Length), sums);
                }
            }
        }

        private void Unchanged<T>(string what, ReadOnlySpan<T> before, ReadOnlySpan<T> after)
            where T : IEquatable<T> => _run.Report(before.SequenceEqual(after) ? 0 : double.PositiveInfinity, $"what is {what} has changed");

        /// <summary>Columns past the last one are zero, as they are in a state that began with zeros.</summary>
        private float[] RandomState() =>
            [.. Enumerable.Range(0, _shape.Heads * _form.KeySize).SelectMany(_ => _run.Values(_shape.ValueSize, _shape.Vectors * 4))];

        private (double[] State, double[] Y, double[] Squares) Expected(int sequence)
        {
            var (heads, keySize, valueSize, padded) = (_shape.Heads, _form.KeySize, _shape.ValueSize, _shape.Vectors * 4);
            var consumed = _shape.ConsumedBy(sequence);
            var before = _kept.Decode(_stored[sequence], consumed - 1);
            double[] row = [.. _projections.Skip(sequence * Stride).Take(Stride)];
            var queries = Rotation.Apply(row[..(heads * keySize)], heads, _angles, consumed - 1, 1);
            var keys = Rotation.Apply(row[(heads * keySize)..((heads + _shape.KeyHeads) * keySize)], _shape.KeyHeads, _angles, consumed - 1, 1 / Math.Sqrt(keySize));
            row = row[((heads + _shape.KeyHeads) * keySize)..];
            var (values, gates) = (row[..(_shape.KeyHeads * valueSize)], row[(_shape.KeyHeads * valueSize)..]);
            var (allStates, y, squares) = (new double[before.Length], new double[heads * valueSize], new double[heads]);
            for (var head = 0; head < heads; head++)
            {
                var source = head / _shape.Group;
                var state = new double[keySize * valueSize];
                for (var i = 0; i < state.Length; i++)
                    state[i] = before[(head * keySize + i / valueSize) * padded + i % valueSize];
                var o = new double[valueSize];
                RecurrentRetention.Apply(
                    new RetentionHead
                    {
                        Decay = _decay[head],
                        KeySize = keySize,
                        ValueSize = valueSize,
                        Queries = queries.AsSpan(head * keySize, keySize),
                        Keys = keys.AsSpan(source * keySize, keySize),
                        Values = values.AsSpan(source * valueSize, valueSize),
                    },
                    state, o);
                for (var i = 0; i < state.Length; i++)
                    allStates[(head * keySize + i / valueSize) * padded + i % valueSize] = state[i];
                for (var i = 0; i < valueSize; i++)
                    y[head * valueSize + i] = o[i] * (_form.Weighted ? _weight[i] : 1) * (_form.Gated ? Reference.Activations.Silu(gates[head * valueSize + i]) : 1);
                squares[head] = o.Sum(value => value * value) + valueSize * (double)Eps * (_form.EpsScaled ? DecaySum.Of(_decay[head], consumed - 1) : 1);
            }

            return (allStates, y, squares);
        }
    }
}
