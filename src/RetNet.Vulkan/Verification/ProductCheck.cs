using System.Numerics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// matvec_*, matmul_lane_*: every way in and out, with and without bias, one token and many, tails of rows, tokens and columns. Types
/// differ in how they are unpacked only, and the drivers of processors take seconds to build some kernels of GPUs: there all but f16
/// go through few forms, or one.
/// </summary>
/// <param name="variant">The variant.</param>
/// <param name="type">Type of its weights.</param>
internal sealed class ProductCheck(string variant, BlockType type) : KernelCheck(variant, 3e-6)
{
    private const float Eps = 1e-3f;
    private const float ResidualScale = 0.7f;
    private const int Heads = 3;
    private const int HeadTiles = 2;

    /// <summary>A pipeline each; what does not depend on the way in and out is spread over these.</summary>
    private static readonly Form[] Forms =
    [
        new(ProductInput.Plain, ProductOutput.Store, Activation.Silu, 1, 2, 4, true),
        new(ProductInput.Plain, ProductOutput.AddResidual, Activation.Silu, 2, 2, 1, false),
        new(ProductInput.Plain, ProductOutput.GatedUnit, Activation.Gelu, 4, 1, 2, true),
        new(ProductInput.Plain, ProductOutput.Activate, Activation.Relu, 1, 1, 1, true),
        new(ProductInput.RmsNorm, ProductOutput.Store, Activation.Silu, 2, 1, 1, true),
        new(ProductInput.RmsNorm, ProductOutput.AddResidual, Activation.Silu, 1, 1, 2, false),
        new(ProductInput.RmsNorm, ProductOutput.GatedUnit, Activation.Silu, 1, 2, 1, false),
        new(ProductInput.RmsNorm, ProductOutput.Activate, Activation.Gelu, 4, 1, 2, true),
        new(ProductInput.HeadNorm, ProductOutput.Store, Activation.Silu, 1, 2, 1, false),
        new(ProductInput.HeadNorm, ProductOutput.AddResidual, Activation.Silu, 2, 4, 1, true),
        new(ProductInput.HeadNorm, ProductOutput.GatedUnit, Activation.Relu, 4, 1, 1, false),
        new(ProductInput.HeadNorm, ProductOutput.Activate, Activation.Silu, 1, 1, 1, true),
    ];

    /// <summary>matmul_lane: plain inputs, tokens by fours, a workgroup a subgroup and a tile.</summary>
    private static readonly Form[] LaneForms =
    [
        new(ProductInput.Plain, ProductOutput.Store, Activation.Silu, 1, 2, 4, true),
        new(ProductInput.Plain, ProductOutput.AddResidual, Activation.Silu, 1, 4, 16, false),
        new(ProductInput.Plain, ProductOutput.GatedUnit, Activation.Gelu, 1, 2, 12, true),
        new(ProductInput.Plain, ProductOutput.Activate, Activation.Relu, 1, 1, 8, true),
    ];

    /// <summary>Columns are whole blocks a head, which for plain types are heads of any size: a quad then spans two of them.</summary>
    private static readonly Shape[] Shapes = [new(2, 1, 1), new(33, 5, 7), new(65, 13, 3), new(17, 3, 14)];

    /// <summary>Tokens of each form of the kernel for a few of them, and how many it takes at once.</summary>
    private static readonly (int Tokens, uint AtOnce)[] FewTokenCounts = [(2, 2), (3, 4), (7, 2), (8, 4), (5, 8)];

    /// <summary>Of the kernel on matrix units: tokens, how many it takes at once, columns at a time and subgroups that share rows.</summary>
    private static readonly (int Tokens, uint AtOnce, uint Depth, uint Parts)[] Matrices = [(5, 8, 64, 2), (11, 8, 32, 1), (8, 8, 64, 4), (3, 8, 32, 3)];

    private readonly record struct Form(
        ProductInput Input, ProductOutput Output, Activation Activation, uint Subgroups, uint RowsAtOnce, uint TokensAtOnce, bool Biased, uint Staged = 1, uint Parts = 1);

    private readonly record struct Shape(int Rows, int Blocks, int Tokens);

    private bool OneToken => Variant.StartsWith("matvec_stream", StringComparison.Ordinal);

    private bool FewTokens => Variant.StartsWith("matvec_tokens", StringComparison.Ordinal);

    private bool OnMatrices => Variant.StartsWith("matvec_matrix", StringComparison.Ordinal);

    private bool OwnsRows => Variant.Contains("_lane", StringComparison.Ordinal);

    private bool OneTile => Variant.StartsWith("matmul_lane", StringComparison.Ordinal);

    private protected override void Run(CheckRun run)
    {
        foreach (var (i, form) in FormsFor(run.Device.Capabilities))
        {
            if (OnMatrices)
            {
                RunOnMatrices(run, form, Shapes[i % Shapes.Length], i);
                continue;
            }

            // The size of a head is part of the pipeline, and a head norm takes one token; so is the length of a row for kernels of one token.
            Shape[] shapes = form.Input == ProductInput.HeadNorm || OneToken ? [Shapes[i % Shapes.Length] with { Tokens = 1 }] : Shapes;
            // Where a few tokens are taken, plain types get rows of several chunks and pieces too.
            if (FewTokens)
                shapes = [.. shapes.Select(shape => shape with { Tokens = FewOf(i).Tokens, Blocks = type.Length == 1 ? 37 * shape.Blocks : shape.Blocks })];
            using var kernel = Build(run.Device, form, shapes[0]);
            foreach (var shape in shapes)
                Run(run, kernel, form, shape);
        }
    }

    /// <summary>Each with its number.</summary>
    private IEnumerable<(int Number, Form Form)> FormsFor(DeviceCapabilities capabilities)
    {
        var forms = (OneTile ? LaneForms : Forms).Select((form, i) => (Number: i, Form: FewTokens ? Few(capabilities, form, i) : form));
        if (OnMatrices)
            return forms.Where(form => form.Number / 4 == form.Number % 4);
        if (type.Type == GgmlType.F16 || OneTile)
            return forms;
        // Every way in with another way out, or one of them: types of single weights, which are built sooner, have the longest rows.
        var few = forms.Where(form => form.Number / 4 == form.Number % 4).ToArray();
        return capabilities.Kind != DeviceKind.Cpu || Variant.StartsWith(Tuning.For(capabilities).MatVec, StringComparison.Ordinal) ? few : [few[type.Length == 1 ? 2 : 1]];
    }

    private static (int Tokens, uint AtOnce) FewOf(int index) => FewTokenCounts[index % FewTokenCounts.Length];

    /// <summary>Tokens, parts and what is staged at once change from one form to the next, as far as shared memory goes.</summary>
    private Form Few(DeviceCapabilities capabilities, Form form, int index)
    {
        var atOnce = FewOf(index).AtOnce;
        while (Tuning.StagedChunks(capabilities, type.Type, atOnce * capabilities.SubgroupSize, atOnce) == 0)
            atOnce /= 2;
        var subgroups = atOnce * Math.Max(form.Subgroups / 2, 1);
        var chunks = Tuning.StagedChunks(capabilities, type.Type, subgroups * capabilities.SubgroupSize, atOnce);
        var parts = Math.Min(1u << (index % 3), BitOperations.RoundUpToPowerOf2(Math.Min(chunks, subgroups) + 1) / 2);
        var staged = index % 2 == 0 ? parts : chunks / parts * parts;
        return form with { Subgroups = subgroups, TokensAtOnce = atOnce, Staged = staged, Parts = parts };
    }

    /// <summary>Rows of a subgroup change as well; rows of weights are of several turns.</summary>
    private void RunOnMatrices(CheckRun run, Form form, Shape shape, int index)
    {
        var (tokens, atOnce, depth, parts) = Matrices[index % Matrices.Length];
        var halves = form.Output == ProductOutput.GatedUnit ? 2u : 1;
        var sides = MatMulPlan.RequiredShape(run.Device);
        var rows = Math.Max(sides.N, (index % 3 == 0 ? 32u : 16) / halves);
        shape = shape with { Tokens = tokens, Blocks = 37 * shape.Blocks };
        var subgroups = Tuning.FitsMatrices(run.Device.Capabilities, 2 * parts, halves * rows, depth) ? 2 * parts : parts;
        form = form with { Subgroups = subgroups, RowsAtOnce = rows, TokensAtOnce = atOnce, Staged = depth, Parts = parts };
        using var kernel = Build(run.Device, form, shape);
        Run(run, kernel, form, shape);
    }

    /// <summary>Where lanes own rows, those of a tile lie together.</summary>
    private RowLayout Layout(GpuDevice device, Form form, int rows)
    {
        var halves = form.Output == ProductOutput.GatedUnit ? 2 : 1;
        return new(halves * rows, OwnsRows ? halves * (int)(form.RowsAtOnce * device.Capabilities.SubgroupSize) : 1, halves);
    }

    private int Columns(Shape shape) => Heads * type.Length * shape.Blocks;

    private Kernel<MatVecArguments> Build(GpuDevice device, Form form, Shape shape)
    {
        var columns = Columns(shape);
        var tile = new ProductTile(
            Variant, form.Subgroups * device.Capabilities.SubgroupSize, form.RowsAtOnce, form.TokensAtOnce, WorkgroupRows(form), 2, (uint)DeviceMatrix.RunsOf(type.Type, columns), form.RowsAtOnce,
            form.Staged, form.Parts, OnMatrices ? form.Staged : 0);
        var key = new ProductKey(type.Type, Layout(device, form, 0).Interleave, form.Input, form.Output, form.Biased, tile);
        return KernelFactory.Product(device, Variant, key, form.Activation, Heads, columns / Heads, chained: form.Biased);
    }

    private void Run(CheckRun run, Kernel<MatVecArguments> kernel, Form form, Shape shape)
    {
        var (rows, columns) = (shape.Rows, Columns(shape));
        var matrix = CheckMatrix.Create(type, Layout(run.Device, form, rows), columns, run);
        var padded = WeightStore.PaddedLength(columns) + 64;
        var x = Enumerable.Range(0, shape.Tokens).Select(_ => run.Values(columns, padded)).ToArray();
        var norm = run.Values(columns, padded);
        var bias = form.Biased ? run.Values(2 * rows) : new float[2 * rows];
        // Rows of the output lie apart; what is between them must stay as it is.
        var yStride = rows + 3;
        var before = run.Values(shape.Tokens * yStride);
        var headSquares = run.Values(shape.Tokens * Heads * HeadTiles).Select(value => value + 1.1f).ToArray();
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var arguments = new MatVecArguments
        {
            Weights = run.Arena.Add<byte>("weights", matrix.Quads),
            Scales = run.Arena.Add<byte>("scales", matrix.Scales),
            X = run.Arena.Add<float>("x", x.SelectMany(row => row).ToArray()),
            NormWeight = run.Arena.Add<float>("norm weight", norm),
            HeadSquares = run.Arena.Add<float>("head squares", headSquares),
            Y = y,
            Residual = y,
            Bias = run.Arena.Add<float>("bias", bias),
            Rows = (uint)rows,
            Runs = (uint)DeviceMatrix.RunsOf(type.Type, columns),
            Columns = (uint)columns,
            Tokens = (uint)shape.Tokens,
            XVectors = (uint)padded / 4,
            YStride = (uint)yStride,
            HeadTiles = HeadTiles,
            Eps = Eps,
            ResidualScale = ResidualScale,
        };
        run.Run(
            $"{form.Input} in, {form.Output} out, {rows} × {columns}, {shape.Tokens} tokens",
            recorder => recorder.Dispatch(
                kernel, arguments, OneTile ? (uint)Layout(run.Device, form, rows).Groups : Workgroups(form, rows), ((uint)shape.Tokens + form.TokensAtOnce - 1) / form.TokensAtOnce));

        var expected = before.Select(value => (double)value).ToArray();
        for (var token = 0; token < shape.Tokens; token++)
            Product(form, matrix.Values, bias, Transform(form.Input, x[token], norm, headSquares.AsSpan(token * Heads * HeadTiles), columns), expected.AsSpan(token * yStride, rows));
        run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));
    }

    /// <summary>Two take turns, but for the kernels of a few tokens, whose workgroups have their rows.</summary>
    private uint Workgroups(Form form, int rows) => FewTokens || OnMatrices ? ((uint)rows + WorkgroupRows(form) - 1) / WorkgroupRows(form) : 2;

    private static uint WorkgroupRows(Form form) => form.Subgroups / form.Parts * form.RowsAtOnce;

    private static double[] Transform(ProductInput input, float[] x, float[] norm, ReadOnlySpan<float> squares, int columns)
    {
        var headSquares = squares.ToArray();
        var scale = 1 / Math.Sqrt(x.Sum(value => (double)value * value) / columns + Eps);
        var headSize = columns / Heads;
        return [.. Enumerable.Range(0, columns).Select(column => input switch
        {
            ProductInput.RmsNorm => x[column] * (double)norm[column] * scale,
            ProductInput.HeadNorm => x[column] / Math.Sqrt(((double)headSquares[column / headSize * 2] + headSquares[column / headSize * 2 + 1]) / headSize),
            _ => x[column],
        })];
    }

    private static void Product(Form form, float[][] weights, float[] bias, double[] x, Span<double> y)
    {
        for (var row = 0; row < y.Length; row++)
            y[row] = form.Output switch
            {
                ProductOutput.AddResidual => Row(row) + ResidualScale * y[row],
                ProductOutput.GatedUnit => Reference.Activations.Apply(form.Activation, Row(row)) * Row(y.Length + row),
                ProductOutput.Activate => Reference.Activations.Apply(form.Activation, Row(row)),
                _ => Row(row),
            };

        double Row(int row)
        {
            double sum = bias[row];
            for (var column = 0; column < x.Length; column++)
                sum += weights[row][column] * x[column];
            return sum;
        }
    }
}
