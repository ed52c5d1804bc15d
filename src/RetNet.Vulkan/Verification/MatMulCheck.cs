using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// matmul_*: every tile that the device can run, every way out, tails of rows, tokens and columns, whole tiles, divided columns.
/// The kernels of f16 are compared with products of inputs and weights that were rounded to it. Types differ in how they are unpacked
/// only, so all but f16 go through a few: drivers take seconds to build some of these kernels.
/// </summary>
internal sealed class MatMulCheck(string variant, BlockType type, MatMulKind kind) : KernelCheck(variant, kind == MatMulKind.Tile ? 1e-5 : 1e-4)
{
    private const float ResidualScale = 0.7f;

    /// <summary>What f16 outputs are off more than f32 ones.</summary>
    private const double HalfSlack = 6;

    /// <summary>Spread over the plans; an interleave other than 1 is a processor's.</summary>
    private static readonly Form[] Forms =
    [
        new(ProductOutput.Store, Activation.Silu, true, false, 1),
        new(ProductOutput.AddResidual, Activation.Silu, true, false, 1),
        new(ProductOutput.GatedUnit, Activation.Silu, true, true, 1),
        new(ProductOutput.Activate, Activation.Relu, false, true, 1),
        new(ProductOutput.Store, Activation.Silu, false, true, 32),
        new(ProductOutput.GatedUnit, Activation.Gelu, false, false, 32),
        new(ProductOutput.AddResidual, Activation.Silu, false, false, 1),
    ];

    private readonly record struct Form(ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput, int Interleave, bool Chained = false)
    {
        public int Halves => Output == ProductOutput.GatedUnit ? 2 : 1;
    }

    /// <summary>What becomes of the sums of an element, in double precision.</summary>
    public static double Finish(ProductOutput output, Activation activation, double residualScale, double before, double first, double second) => output switch
    {
        ProductOutput.AddResidual => first + residualScale * before,
        ProductOutput.GatedUnit => Reference.Activations.Apply(activation, first) * second,
        ProductOutput.Activate => Reference.Activations.Apply(activation, first),
        _ => first,
    };

    private protected override void Run(CheckRun run)
    {
        using var products = new MatMul(run.Device, kind);
        var whole = type.Type == GgmlType.F16;
        for (var i = whole ? 0 : 2; i < Forms.Length; i += whole ? 1 : 3)
        {
            var form = Restrict(Forms[i]);
            var plans = Plans(run.Device.Capabilities, form);
            if (!whole)
            {
                var few = plans[^(i / 2 % plans.Length + 1)];
                Run(run, products, form, few, 33, 7);
                Run(run, products, form, few, (int)few.HalfRows((uint)form.Halves) + 5, (int)few.TileTokens + 2);
                continue;
            }

            for (var at = i % plans.Length; at < plans.Length; at += Forms.Length)
            {
                var plan = plans[at];
                foreach (var (rows, tokens) in new[] { (1, 1), (33, 7), ((int)plan.HalfRows((uint)form.Halves) + 5, (int)plan.TileTokens + 2), (2 * (int)plan.HalfRows((uint)form.Halves), 2 * (int)plan.TileTokens) })
                    Run(run, products, form, plan, rows, tokens);
                Run(run, products, form, plan with { Parts = 2 }, 65, 16);
            }

            // A plan of its own for every form, however few tiles there are.
            Run(run, products, form, plans[^1], 65, 33);
        }

        if (whole && kind == MatMulKind.SubgroupMatrix)
        {
            Run(run, products, Forms[0] with { Chained = true }, Plans(run.Device.Capabilities, Forms[0])[^1], 65, 33);
            foreach (var plan in Plans(run.Device.Capabilities, Forms[0]).Where(plan => plan.TileTokens <= MatMulPlan.ManyTokens))
            {
                RunNorm(run, products, plan, (int)plan.TileTokens - 3);
                RunHeadNorm(run, products, plan with { Parts = 2 }, (int)plan.TileTokens - 3);
            }
        }
    }

    /// <summary>What the device would be given; a processor gets the smallest tiles only.</summary>
    private MatMulPlan[] Plans(DeviceCapabilities capabilities, Form form)
    {
        var plans = MatMulPlan.Candidates(capabilities, kind, (uint)form.Halves).ToArray();
        return capabilities.Kind == DeviceKind.Cpu ? [.. plans.Where(plan => plan.TileTokens == plans.Min(other => other.TileTokens))] : plans;
    }

    /// <summary>What the kernel has of a form.</summary>
    private Form Restrict(Form form) => form with
    {
        HalfOutput = form.HalfOutput && kind != MatMulKind.Tile,
        Interleave = kind == MatMulKind.WorkgroupMatrix ? 1 : form.Interleave,
    };

    private void Run(CheckRun run, MatMul products, Form form, MatMulPlan plan, int rows, int tokens)
    {
        // No multiple of 64, but with its padding of every depth.
        const int columns = 224;
        const int stride = 256;
        var matrix = CheckMatrix.Create(type, new RowLayout(form.Halves * rows, form.Interleave, form.Halves), columns, run);
        var x = Enumerable.Range(0, tokens).Select(_ => Rounded(run.Values(columns, stride))).ToArray();
        var bias = form.Biased ? run.Values(2 * rows) : new float[2 * rows];
        // Rows of the output lie apart; what is between them must stay as it is.
        var yStride = rows + 3;
        var before = run.Values(tokens * yStride).Select(value => form.HalfOutput ? (float)(Half)value : value).ToArray();
        run.Arena.Clear();
        var y = form.HalfOutput ? run.Arena.AddOutput<Half>("y", [.. before.Select(value => (Half)value)]) : run.Arena.AddOutput<float>("y", before);
        var inputs = x.SelectMany(row => row);
        var task = new MatMulTask
        {
            Matrix = new DeviceMatrix(
                type.Type, form.Halves * rows, columns, form.Interleave, run.Arena.Add<byte>("weights", matrix.Quads), run.Arena.Add<byte>("scales", matrix.Scales),
                form.Biased ? run.Arena.Add<float>("bias", bias) : 0),
            X = kind == MatMulKind.Tile ? run.Arena.Add<float>("x", inputs.ToArray()) : run.Arena.Add<Half>("x", [.. inputs.Select(value => (Half)value)]),
            XStride = stride,
            Y = y,
            YStride = yStride,
            Tokens = tokens,
            Output = form.Output,
            HalfOutput = form.HalfOutput,
            Activation = form.Activation,
            ResidualScale = ResidualScale,
            Chained = form.Chained,
        };
        run.Run($"{plan}, {form}, {rows} × {columns}, {tokens} tokens", recorder => products.Record(recorder, task, plan));

        var weights = matrix.Values.Select(Rounded).ToArray();
        var expected = before.Select(value => (double)value).ToArray();
        Parallel.For(0, tokens, token =>
        {
            for (var row = 0; row < rows; row++)
            {
                ref var value = ref expected[token * yStride + row];
                value = Finish(form.Output, form.Activation, ResidualScale, value, Sum(token, row), form.Halves == 2 ? Sum(token, rows + row) : 0);
            }
        });
        if (form.HalfOutput)
            run.Compare<Half>("y", expected, run.Arena.Read<Half>(y, before.Length), HalfSlack);
        else
            run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));

        double Sum(int token, int row)
        {
            double sum = bias[row];
            for (var column = 0; column < columns; column++)
                sum += (double)weights[row][column] * x[token][column];
            return sum;
        }
    }

    /// <summary>RMSNorm between two products that share it: x ← α·x + U·vᵀ, then W·x̂ᵀ.</summary>
    private static void RunNorm(CheckRun run, MatMul products, MatMulPlan plan, int tokens)
    {
        const int columns = 128;
        const int width = 220;
        const int stride = 256;
        const int rows = 37;
        const float eps = 0.01f;
        var (first, second) = (CheckMatrix.Create(BlockType.Of(GgmlType.F16), new RowLayout(width, 1, 1), columns, run), CheckMatrix.Create(BlockType.Of(GgmlType.F16), new RowLayout(rows, 1, 1), width, run));
        var v = run.Values(tokens * columns).Select(value => (Half)value).ToArray();
        var weight = run.Values(width);
        var before = run.Values(tokens * stride);
        run.Arena.Clear();
        var x = run.Arena.AddOutput<float>("x", before);
        var normed = run.Arena.AddOutput<Half>("x · w / 16", new Half[tokens * stride]);
        var y = run.Arena.AddOutput<float>("y", new float[tokens * rows]);
        var addition = new MatMulTask
        {
            Matrix = new DeviceMatrix(GgmlType.F16, width, columns, 1, run.Arena.Add<byte>("first weights", first.Quads), run.Arena.Add<byte>("first scales", first.Scales)),
            X = run.Arena.Add<Half>("v", v),
            XStride = columns,
            Y = x,
            YStride = stride,
            Tokens = tokens,
            Output = ProductOutput.AddResidual,
            ResidualScale = ResidualScale,
            OutputNorm = (run.Arena.Add<float>("norm weight", weight), normed),
        };
        var product = new MatMulTask
        {
            Matrix = new DeviceMatrix(GgmlType.F16, rows, width, 1, run.Arena.Add<byte>("second weights", second.Quads), run.Arena.Add<byte>("second scales", second.Scales)),
            X = normed,
            XStride = stride,
            Y = y,
            YStride = rows,
            Tokens = tokens,
            Output = ProductOutput.Store,
            NormedInput = (width, eps),
        };
        run.Run($"{plan}, norm between two, {tokens} tokens", recorder =>
        {
            products.Record(recorder, addition, plan);
            recorder.Barrier();
            products.Record(recorder, product, plan);
        });

        var sums = before.Select(value => (double)value).ToArray();
        var expectedNormed = new double[tokens * stride];
        var expected = new double[tokens * rows];
        for (var token = 0; token < tokens; token++)
        {
            var squares = 0.0;
            for (var i = 0; i < width; i++)
            {
                ref var sum = ref sums[token * stride + i];
                sum *= ResidualScale;
                for (var column = 0; column < columns; column++)
                    sum += first.Values[i][column] * (double)v[token * columns + column];
                expectedNormed[token * stride + i] = (double)(Half)(sum * weight[i] / 16);
                squares += sum * sum;
            }

            for (var row = 0; row < rows; row++)
                for (var i = 0; i < width; i++)
                    expected[token * rows + row] += second.Values[row][i] * expectedNormed[token * stride + i] * 16 / Math.Sqrt(squares / width + eps);
        }

        run.Compare<float>("x", sums, run.Arena.Read<float>(x, sums.Length));
        run.Compare<Half>("x · w / 16", expectedNormed, run.Arena.Read<Half>(normed, expectedNormed.Length), HalfSlack);
        run.Compare<float>("y", expected, run.Arena.Read<float>(y, expected.Length));
    }

    /// <summary>A head norm that the product finishes, with an RMSNorm behind it as a step has them: parts that begin within heads.</summary>
    private static void RunHeadNorm(CheckRun run, MatMul products, MatMulPlan plan, int tokens)
    {
        const int heads = 3;
        const int headSize = 128;
        const int columns = heads * headSize;
        const int tiles = 11;
        const int rows = 37;
        var matrix = CheckMatrix.Create(BlockType.Of(GgmlType.F16), new RowLayout(rows, 1, 1), columns, run);
        var v = Enumerable.Range(0, tokens).SelectMany(_ => run.Values(columns)).Select(value => (Half)value).ToArray();
        var squares = run.Values(tokens * heads * tiles).Select(value => 50 * value * value).ToArray();
        var (weight, before) = (run.Values(rows), run.Values(tokens * rows));
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var normed = run.Arena.AddOutput<Half>("y · w / 16", new Half[tokens * rows]);
        var task = new MatMulTask
        {
            Matrix = new DeviceMatrix(GgmlType.F16, rows, columns, 1, run.Arena.Add<byte>("weights", matrix.Quads), run.Arena.Add<byte>("scales", matrix.Scales)),
            X = run.Arena.Add<Half>("x", v),
            XStride = columns,
            Y = y,
            YStride = rows,
            Tokens = tokens,
            Output = ProductOutput.AddResidual,
            ResidualScale = ResidualScale,
            HeadNormedInput = (run.Arena.Add<float>("Σo²", squares), tiles, heads, headSize),
            OutputNorm = (run.Arena.Add<float>("norm weight", weight), normed),
        };
        run.Run($"{plan}, {heads} heads of {headSize}, {tokens} tokens", recorder => products.Record(recorder, task, plan));

        var expected = before.Select(value => (double)value * ResidualScale).ToArray();
        for (var token = 0; token < tokens; token++)
        {
            var x = new double[columns];
            for (var i = 0; i < columns; i++)
            {
                var sum = 0.0;
                for (var tile = 0; tile < tiles; tile++)
                    sum += squares[(token * heads + i / headSize) * tiles + tile];
                x[i] = (double)v[token * columns + i] / Math.Sqrt(sum / headSize);
            }

            for (var row = 0; row < rows; row++)
                for (var i = 0; i < columns; i++)
                    expected[token * rows + row] += (float)(Half)matrix.Values[row][i] * x[i];
        }

        run.Compare<float>("y", expected, run.Arena.Read<float>(y, expected.Length));
        run.Compare<Half>("y · w / 16", [.. expected.Select((value, i) => value * weight[i % rows] / 16)], run.Arena.Read<Half>(normed, expected.Length), HalfSlack);
    }

    private float[] Rounded(float[] values) => kind == MatMulKind.Tile ? values : [.. values.Select(value => (float)(Half)value)];
}
