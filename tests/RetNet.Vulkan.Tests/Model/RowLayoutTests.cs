using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Model;

public sealed class RowLayoutTests
{
    [Theory]
    [InlineData(7, 1, 1)]
    [InlineData(14, 1, 2)]
    [InlineData(1, 32, 1)]
    [InlineData(97, 32, 1)]
    [InlineData(66, 32, 2)]
    [InlineData(64, 32, 2)]
    public void EveryRowHasOneSlot(int rows, int interleave, int halves)
    {
        var layout = new RowLayout(rows, interleave, halves);
        var found = new List<int>();
        for (var group = 0; group < layout.Groups; group++)
            for (var slot = 0; slot < interleave; slot++)
                if (layout.RowAt(group, slot) is { } row)
                    found.Add(row);
        found.Sort();
        Assert.Equal(Enumerable.Range(0, rows), found);
    }

    [Fact]
    public void AGroupHoldsBothRowsOfAnOutput()
    {
        var layout = new RowLayout(2 * 33, 32, 2);
        Assert.Equal(3, layout.Groups);
        Assert.Equal((16, 33 + 16), (layout.RowAt(1, 0), layout.RowAt(1, 16)));
        Assert.Equal((32, null), (layout.RowAt(2, 0), layout.RowAt(2, 1)));
    }
}
