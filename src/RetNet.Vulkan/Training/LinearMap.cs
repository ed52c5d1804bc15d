using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// y = x Wᵀ + b and its gradients, W being the rows of one matrix or of several that share their input, with low-rank adapters where the
/// parameters have them: y += s · (x Aᵀ) Bᵀ.
/// </summary>
internal sealed class LinearMap
{
    private readonly TrainingProducts _products;
    private readonly VectorGradients _vectors;
    private readonly ParameterRows _weights;
    private readonly ParameterRows? _biases;
    private readonly Adapter[] _adapters;
    private readonly float _adapterScale;

    /// <param name="parameters">The parameters.</param>
    /// <param name="products">Multiplies.</param>
    /// <param name="vectors">Sums.</param>
    /// <param name="adapterScale">s.</param>
    /// <param name="names">The matrices without <c>.weight</c>; those that the model lacks are left out.</param>
    public LinearMap(ParameterSet parameters, TrainingProducts products, VectorGradients vectors, double adapterScale, params ReadOnlySpan<string> names)
    {
        (_products, _vectors, _adapterScale) = (products, vectors, (float)adapterScale);
        string[] present = [.. names.ToArray().Where(name => parameters.Find(TensorNames.Weight(name)) is not null)];
        _weights = new(present.Select(name => parameters[TensorNames.Weight(name)]));
        var biases = present.Select(name => parameters.Find(TensorNames.Bias(name))).OfType<ParameterTensor>().ToArray();
        _biases = biases.Length > 0 ? new(biases) : null;
        _adapters = [.. present.Where(name => parameters.Find(AdapterNames.A(name)) is not null).Select(name =>
            new Adapter(parameters[AdapterNames.A(name)], parameters[AdapterNames.B(name)], _weights.FirstOutput(TensorNames.Weight(name))))];
    }

    private readonly record struct Adapter(ParameterTensor A, ParameterTensor B, int FirstOutput)
    {
        public int Rank => A.Rows;
    }

    /// <summary>Columns of y.</summary>
    public int Outputs => _weights.Outputs;

    /// <summary>Columns of x.</summary>
    public int Inputs => _weights.Inputs;

    /// <summary>The largest rank of an adapter; 0 without.</summary>
    public int Rank => _adapters.Select(adapter => adapter.Rank).DefaultIfEmpty().Max();

    /// <summary>Records y ← keep · y + x Wᵀ + b, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="x">The input.</param>
    /// <param name="y">The output.</param>
    /// <param name="rows">Rows of both.</param>
    /// <param name="inner">Room for x Aᵀ.</param>
    /// <param name="keep">Factor on what y held; 0 where it may hold anything.</param>
    public void RecordForward(Recorder recorder, RowArray x, RowArray y, int rows, RowArray inner, float keep = 0)
    {
        Multiply(recorder, new()
        {
            Form = ProductForm.Forward,
            A = x.Address,
            B = _weights.Weight,
            C = y.Address,
            M = rows,
            N = Outputs,
            K = Inputs,
            AStride = x.Stride,
            BStride = _weights.Stride,
            CStride = y.Stride,
            Keep = keep,
            Bias = _biases?.Weight ?? 0,
        });
        foreach (var adapter in _adapters)
        {
            RecordInner(recorder, adapter, x, rows, inner);
            Multiply(recorder, new()
            {
                Form = ProductForm.Forward,
                A = inner.Address,
                B = adapter.B.Weight,
                C = y.Columns(adapter.FirstOutput).Address,
                M = rows,
                N = adapter.B.Rows,
                K = adapter.Rank,
                AStride = inner.Stride,
                BStride = adapter.B.Stride,
                CStride = y.Stride,
                Scale = _adapterScale,
                Keep = 1,
            });
        }
    }

    /// <summary>Records dW += dyᵀ x and db += Σ dy, where they are trained, and a barrier behind each.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="x">The input.</param>
    /// <param name="dy">The gradient with respect to the output.</param>
    /// <param name="rows">Rows of both.</param>
    /// <param name="inner">Room for an array of <see cref="Rank"/> columns.</param>
    public void RecordWeightGradients(Recorder recorder, RowArray x, RowArray dy, int rows, RowArray inner)
    {
        foreach (var (first, outputs, gradient) in _weights.Gradients())
            AddOuter(recorder, dy.Columns(first), x, rows, outputs, Inputs, gradient, _weights.Stride, 1);
        foreach (var (first, outputs, gradient) in _biases?.Gradients() ?? [])
            _vectors.Add(recorder, dy.Columns(first), rows, outputs, gradient);
        foreach (var adapter in _adapters)
        {
            var own = dy.Columns(adapter.FirstOutput);
            RecordInner(recorder, adapter, x, rows, inner);
            AddOuter(recorder, own, inner, rows, adapter.B.Rows, adapter.Rank, adapter.B.Gradient, adapter.B.Stride, _adapterScale);
            RecordInnerGradient(recorder, adapter, own, rows, inner);
            AddOuter(recorder, inner, x, rows, adapter.Rank, Inputs, adapter.A.Gradient, adapter.A.Stride, 1);
        }
    }

    /// <summary>Records dx ← keep · dx + dy W, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="dy">The gradient with respect to the output.</param>
    /// <param name="dx">The gradient with respect to the input.</param>
    /// <param name="rows">Rows of both.</param>
    /// <param name="inner">Room for an array of <see cref="Rank"/> columns.</param>
    /// <param name="keep">Factor on what dx held; 0 where it may hold anything.</param>
    public void RecordInputGradient(Recorder recorder, RowArray dy, RowArray dx, int rows, RowArray inner, float keep = 0)
    {
        AddBackward(recorder, dy, _weights.Weight, _weights.Stride, dx, rows, Inputs, Outputs, 1, keep);
        foreach (var adapter in _adapters)
        {
            RecordInnerGradient(recorder, adapter, dy.Columns(adapter.FirstOutput), rows, inner);
            AddBackward(recorder, inner, adapter.A.Weight, adapter.A.Stride, dx, rows, Inputs, adapter.Rank, 1, 1);
        }
    }

    /// <summary>x Aᵀ.</summary>
    private void RecordInner(Recorder recorder, Adapter adapter, RowArray x, int rows, RowArray inner) => Multiply(recorder, new()
    {
        Form = ProductForm.Forward,
        A = x.Address,
        B = adapter.A.Weight,
        C = inner.Address,
        M = rows,
        N = adapter.Rank,
        K = Inputs,
        AStride = x.Stride,
        BStride = adapter.A.Stride,
        CStride = inner.Stride,
    });

    /// <summary>s · dy B.</summary>
    private void RecordInnerGradient(Recorder recorder, Adapter adapter, RowArray dy, int rows, RowArray inner) =>
        AddBackward(recorder, dy, adapter.B.Weight, adapter.B.Stride, inner, rows, adapter.Rank, adapter.B.Rows, _adapterScale, 0);

    private void AddBackward(Recorder recorder, RowArray dy, ulong matrix, int stride, RowArray dx, int rows, int inputs, int outputs, float scale, float keep) => Multiply(recorder, new()
    {
        Form = ProductForm.InputGradient,
        A = dy.Address,
        B = matrix,
        C = dx.Address,
        M = rows,
        N = inputs,
        K = outputs,
        AStride = dy.Stride,
        BStride = stride,
        CStride = dx.Stride,
        Scale = scale,
        Keep = keep,
    });

    private void AddOuter(Recorder recorder, RowArray dy, RowArray x, int rows, int outputs, int inputs, ulong gradient, int stride, float scale) => Multiply(recorder, new()
    {
        Form = ProductForm.WeightGradient,
        A = dy.Address,
        B = x.Address,
        C = gradient,
        M = outputs,
        N = inputs,
        K = rows,
        AStride = dy.Stride,
        BStride = x.Stride,
        CStride = stride,
        Scale = scale,
        Keep = 1,
    });

    private void Multiply(Recorder recorder, in TrainingProduct product)
    {
        _products.Record(recorder, product);
        recorder.Barrier();
    }
}
