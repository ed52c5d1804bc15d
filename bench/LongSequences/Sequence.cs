using RetNet.Tests;

namespace LongSequences;

/// <summary>The model and its tokens, both from a fixed seed.</summary>
internal static class Sequence
{
    /// <summary>Tokens that are taken in and compared at once; no multiple of a chunk.</summary>
    public const int Piece = 1000;

    private const int Seed = 20260;

    /// <summary>Two layers with decays from 1 − 2⁻⁵, which remembers tens of tokens, to 1 − 2⁻¹², which remembers thousands.</summary>
    public static RandomModel Model { get; } = new(
        RandomModel.Shape(layers: 2, width: 32, heads: 8, keySize: 8, valueSize: 8, feedForward: 64, vocabulary: 64), Seed, _ => false);

    /// <summary>The piece that begins at a position.</summary>
    public static int[] Tokens(long position) => Model.Tokens(Piece, Seed + (int)(position / Piece));
}
