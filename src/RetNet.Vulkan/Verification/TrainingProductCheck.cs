using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// product_*: every tile that the device can run and every form, with tails in all three sizes, whole tiles, divided sums, scale, bias and what C held.
/// The kernel of f16 is compared with products of factors that were rounded to it.
/// </summary>
internal sealed class TrainingProductCheck(string variant, ProductKernel kernel) : KernelCheck(variant, kernel == ProductKernel.Matrix ? 1e-4 : 1e-5)
{
    private static readonly (float Scale, float Keep, bool Biased)[] Ends = [(1, 0, false), (0.25f, 1, true), (2, 0.7f, false), (1, 0, true)];

    private protected override void Run(CheckRun run)
    {
        using var products = new TrainingProducts(run.Device, kernel);
        var capabilities = run.Device.Capabilities;
        var end = 0;
        foreach (var plan in ProductPlan.Candidates(capabilities, kernel))
            foreach (var form in Enum.GetValues<ProductForm>())
            {
                var (m, n) = ((int)plan.TileM, (int)plan.TileN);
                // A processor's driver is slow at a GPU's tiles.
                var sizes = capabilities.Kind == DeviceKind.Cpu && m * n > 4096 ? new[] { (97, 60, 37) } : [(1, 1, 1), (33, 7, 60), (m + 5, n + 2, 97), (2 * m, n, 64)];
                foreach (var (rows, columns, depth) in sizes)
                    Run(run, products, plan, form, rows, columns, depth, Ends[end++ % Ends.Length]);
                if (kernel != ProductKernel.Lane)
                    Run(run, products, plan with { Parts = 3 }, form, 19, 21, 150, Ends[end++ % Ends.Length]);
            }
    }

    private void Run(CheckRun run, TrainingProducts products, ProductPlan plan, ProductForm form, int m, int n, int k, (float Scale, float Keep, bool Biased) end)
    {
        var a = Factor(run, form == ProductForm.WeightGradient ? (k, m) : (m, k), float.NaN);
        var b = Factor(run, form == ProductForm.Forward ? (n, k) : (k, n), 0);
        // Rows of C lie apart; what is between them must stay as it is, and what is not kept is not read.
        var cStride = n + 3;
        var before = run.Values(m * cStride);
        var bias = end.Biased ? run.Values(n) : new float[n];
        var held = before.ToArray();
        if (end.Keep == 0)
            for (var i = 0; i < m; i++)
                held.AsSpan(i * cStride, n).Fill(float.NaN);
        run.Arena.Clear();
        var c = run.Arena.AddOutput<float>("c", held);
        var product = new TrainingProduct
        {
            Form = form,
            A = run.Arena.Add<float>("a", a.Values),
            B = run.Arena.Add<float>("b", b.Values),
            C = c,
            M = m,
            N = n,
            K = k,
            AStride = a.Stride,
            BStride = b.Stride,
            CStride = cStride,
            Scale = end.Scale,
            Keep = end.Keep,
            Bias = end.Biased ? run.Arena.Add<float>("bias", bias) : 0,
        };
        run.Run($"{plan}, {form}, {m} × {n} × {k}, {end}", recorder => products.Record(recorder, product, plan with { Parts = Math.Min(plan.Parts, Parts(plan, k)) }));

        var expected = before.Select(value => (double)value).ToArray();
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                double sum = 0;
                for (var d = 0; d < k; d++)
                    sum += (form == ProductForm.WeightGradient ? a.At(d, i) : a.At(i, d)) * (form == ProductForm.Forward ? b.At(j, d) : b.At(d, j));
                ref var value = ref expected[i * cStride + j];
                value = end.Scale * sum + bias[j] + (end.Keep == 0 ? 0 : end.Keep * value);
            }

        run.Compare<float>("c", expected, run.Arena.Read<float>(c, before.Length));
    }

    /// <summary>Parts that have something to sum.</summary>
    private static uint Parts(ProductPlan plan, int k) => ((uint)k + plan.SplitDepth((uint)k) - 1) / plan.SplitDepth((uint)k);

    private RandomFactor Factor(CheckRun run, (int Rows, int Columns) shape, float padding)
    {
        var stride = (shape.Columns + 15) / 16 * 16;
        var values = new float[shape.Rows * stride];
        Array.Fill(values, padding);
        for (var row = 0; row < shape.Rows; row++)
            run.Values(shape.Columns).Select(value => kernel == ProductKernel.Matrix ? (float)(Half)value : value).ToArray().CopyTo(values, row * stride);
        return new(values, stride);
    }

    private readonly record struct RandomFactor(float[] Values, int Stride)
    {
        public double At(int row, int column) => Values[row * Stride + column];
    }
}
