namespace RetNet.Vulkan.Training;

/// <summary>Rows of f32 on the device.</summary>
/// <param name="Address">Device address of the first one.</param>
/// <param name="Stride">Floats from one row to the next.</param>
internal readonly record struct RowArray(ulong Address, int Stride)
{
    /// <summary>The columns from one on.</summary>
    public RowArray Columns(int first) => this with { Address = Address + ((ulong)first * sizeof(float)) };

    /// <summary>Device address of a row.</summary>
    public ulong Row(int row) => Address + ((ulong)row * (ulong)Stride * sizeof(float));
}
