namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/column_sum.comp, which says what each is.</summary>
internal struct ColumnSumArguments
{
    public ulong X;
    public ulong Y;
    public uint Rows;
    public uint Columns;
    public uint Stride;
    public uint BlockRows;
}
