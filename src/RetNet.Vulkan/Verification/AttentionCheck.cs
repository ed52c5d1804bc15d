using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// attention: one token of sequences of any length, a head by one workgroup or several. Of the cache only the new position changes,
/// and nothing of a sequence without steps left.
/// </summary>
internal sealed class AttentionCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Heads = 3;
    private const int Capacity = 133;
    private const int Gap = 4;

    /// <summary>One rounding to f16 beside one of f32.</summary>
    private const double HalfSlack = 400;

    /// <summary>Tokens consumed by each sequence; the second one has ended.</summary>
    private static readonly uint[][] Lengths = [[1], [2, 70, 37], [Capacity, 9, 66, 129]];

    private static readonly Form[] Forms = [new(32, 64, 1), new(128, 128, 3), new(64, 32, 5)];

    private readonly record struct Form(uint Threads, int HeadSize, int Splits);

    private protected override void Run(CheckRun run)
    {
        foreach (var form in Forms)
        {
            using var kernel = new Kernel<AttentionArguments>(run.Device, Variant, form.Threads, (uint)form.HeadSize);
            foreach (var lengths in Lengths)
                new Case(run, form, lengths).Run(kernel);
        }
    }

    private sealed class Case
    {
        private readonly CheckRun _run;
        private readonly Form _form;
        private readonly uint[] _lengths;
        private readonly float[] _projections;
        private readonly float[] _angles;
        private readonly Half[] _keys;
        private readonly Half[] _values;
        private readonly float[] _partials;
        private readonly float[] _sums;
        private readonly float[] _y;

        public Case(CheckRun run, Form form, uint[] lengths)
        {
            (_run, _form, _lengths) = (run, form, lengths);
            _projections = run.Values(lengths.Length * Stride).Select(value => 3 * value).ToArray();
            _angles = CheckDecay.Angles(form.HeadSize);
            (_keys, _values) = (Halves(), Halves());
            _partials = run.Values(lengths.Length * Heads * form.Splits * form.HeadSize);
            _sums = run.Values(lengths.Length * Heads * form.Splits * 2);
            _y = run.Values(lengths.Length * OutputStride);
        }

        private int Width => Heads * _form.HeadSize;

        private int Stride => 3 * Width + Gap;

        private int OutputStride => Width + Gap;

        public void Run(Kernel<AttentionArguments> kernel)
        {
            var arena = _run.Arena;
            arena.Clear();
            var keys = arena.AddOutput<Half>("keys", _keys);
            var values = arena.AddOutput<Half>("values", _values);
            var partials = arena.AddOutput<float>("partials", _partials);
            var sums = arena.AddOutput<float>("sums", _sums);
            var y = arena.AddOutput<float>("y", _y);
            var arguments = new AttentionArguments
            {
                Projections = arena.Add<float>("projections", _projections),
                Keys = keys,
                Values = values,
                Angles = arena.Add<ulong>("angles", RetNetModel.AngleTable(_angles)),
                Positions = arena.Add<uint>("positions", _lengths),
                StepsLeft = arena.Add<uint>("steps left", [.. _lengths.Select((_, sequence) => IsLive(sequence) ? 2u : 0)]),
                Partials = partials,
                Sums = sums,
                Y = y,
                Stride = (uint)Stride,
                OutputStride = (uint)OutputStride,
                Capacity = Capacity,
                Scale = 1 / MathF.Sqrt(_form.HeadSize),
            };
            _run.Run($"{_form}, lengths {string.Join(", ", _lengths)}", recorder => recorder.Dispatch(kernel, arguments, (uint)_form.Splits, Heads, (uint)_lengths.Length));

            CompareCache("keys", _keys, arena.Read<Half>(keys, _keys.Length), 1);
            CompareCache("values", _values, arena.Read<Half>(values, _values.Length), 2);
            CompareOutput(arena.Read<float>(partials, _partials.Length), arena.Read<float>(sums, _sums.Length), arena.Read<float>(y, _y.Length));
        }

        private static bool IsLive(int sequence) => sequence != 1;

        private Half[] Halves() => [.. _run.Values(_lengths.Length * Width * Capacity).Select(value => (Half)value)];

        /// <summary>Where a head of a sequence begins in the cache.</summary>
        private int At(int sequence, int head) => (sequence * Heads + head) * Capacity * _form.HeadSize;

        /// <summary>A query, key or value of a sequence, [heads][head size]; rotated unless it is a value.</summary>
        private double[] Projected(int sequence, int which)
        {
            double[] row = [.. _projections.Skip(sequence * Stride + which * Width).Take(Width)];
            return which == 2 ? row : Rotation.Apply(row, Heads, _angles, _lengths[sequence] - 1, 1);
        }

        private void CompareCache(string what, Half[] before, Half[] after, int which)
        {
            var (size, kept) = (_form.HeadSize, after.ToArray());
            for (var sequence = 0; sequence < _lengths.Length; sequence++)
                for (var head = 0; head < Heads && IsLive(sequence); head++)
                {
                    var at = At(sequence, head) + (int)(_lengths[sequence] - 1) * size;
                    _run.Compare<float>($"new {what}", Projected(sequence, which)[(head * size)..((head + 1) * size)], [.. after.Skip(at).Take(size).Select(value => (float)value)], HalfSlack);
                    before.AsSpan(at, size).CopyTo(kept.AsSpan(at));
                }

            Unchanged<Half>($"{what} of other positions", before, kept);
        }

        private void CompareOutput(float[] partials, float[] sums, float[] y)
        {
            for (var sequence = 0; sequence < _lengths.Length; sequence++)
            {
                var row = y.AsSpan(sequence * OutputStride, OutputStride);
                var before = _y.AsSpan(sequence * OutputStride, OutputStride);
                var writesY = IsLive(sequence) && _form.Splits == 1;
                Unchanged<float>("y", writesY ? before[^Gap..] : before, writesY ? row[^Gap..] : row);
                for (var head = 0; head < Heads; head++)
                {
                    var share = (sequence * Heads + head) * _form.Splits;
                    var parts = partials.AsSpan(share * _form.HeadSize, _form.Splits * _form.HeadSize);
                    if (IsLive(sequence))
                        _run.Compare<double>("o", Expected(sequence, head), writesY ? [.. row.Slice(head * _form.HeadSize, _form.HeadSize).ToArray()] : Combined(parts, sums.AsSpan(2 * share, 2 * _form.Splits)));
                    if (!IsLive(sequence) || writesY)
                        Unchanged("partials", _partials.AsSpan(share * _form.HeadSize, parts.Length), parts);
                }
            }
        }

        private double[] Expected(int sequence, int head)
        {
            var (size, at) = (_form.HeadSize, At(sequence, head));
            var query = Projected(sequence, 0).AsSpan(head * size, size);
            var last = (int)_lengths[sequence] - 1;
            // Its own key and value are not rounded.
            var (key, value) = (Projected(sequence, 1)[(head * size)..((head + 1) * size)], Projected(sequence, 2)[(head * size)..((head + 1) * size)]);
            var scores = new double[last + 1];
            for (var j = 0; j < scores.Length; j++)
                for (var i = 0; i < size; i++)
                    scores[j] += query[i] * (j == last ? key[i] : (double)_keys[at + j * size + i]) / Math.Sqrt(size);
            var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
            var o = new double[size];
            for (var j = 0; j < scores.Length; j++)
                for (var i = 0; i < size; i++)
                    o[i] += weights[j] / weights.Sum() * (j == last ? value[i] : (double)_values[at + j * size + i]);
            return o;
        }

        /// <summary>How a head is spread over its workgroups is the kernel's own affair.</summary>
        private double[] Combined(ReadOnlySpan<float> parts, ReadOnlySpan<float> sums)
        {
            double largest = double.NegativeInfinity, sum = 0;
            for (var i = 0; i < _form.Splits; i++)
                largest = Math.Max(largest, sums[2 * i]);
            var o = new double[_form.HeadSize];
            for (var i = 0; i < _form.Splits; i++)
            {
                var factor = Math.Exp(sums[2 * i] - largest);
                sum += factor * sums[2 * i + 1];
                for (var column = 0; column < o.Length; column++)
                    o[column] += factor * parts[i * o.Length + column];
            }

            return [.. o.Select(value => value / sum)];
        }

        private void Unchanged<T>(string what, ReadOnlySpan<T> before, ReadOnlySpan<T> after)
            where T : IEquatable<T> => _run.Report(before.SequenceEqual(after) ? 0 : double.PositiveInfinity, $"{what} changed that should not");
    }
}
