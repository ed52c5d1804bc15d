namespace Silk.NET.Vulkan.Tests;

public class VulkanLibraryTests
{
    [Fact]
    public void AMissingLoaderIsNamedWithAdvice()
    {
        var exception = Assert.Throws<DllNotFoundException>(() => VulkanLibrary.Load(["libno-such-vulkan.so.1", "libno-such-vulkan.so"]));
        Assert.StartsWith("The Vulkan loader (libno-such-vulkan.so.1 or libno-such-vulkan.so) was not found. ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("nstall", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
