namespace Fuzzer;

/// <summary>A reader to feed damaged files to.</summary>
/// <param name="Name">What <c>--reader</c> calls it.</param>
/// <param name="Seeds">Valid files.</param>
/// <param name="Read">Reads the file at a path, all of it.</param>
/// <param name="Refusal">The exception by which it refuses a file.</param>
/// <param name="Repair">Makes lengths and sums right in half of the damaged files, where almost all would fail by them alone.</param>
internal sealed record ReaderTarget(
    string Name, IReadOnlyList<byte[]> Seeds, Action<string> Read, Type Refusal, Func<byte[], byte[]>? Repair = null);
