using System.IO.MemoryMappedFiles;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// A file mapped read-only into memory, whatever its size. Pages are read when they are touched. Safe for readers on
/// several threads; nothing may read after <see cref="Dispose"/>.
/// </summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _mapping;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _pointer;

    /// <summary>Maps the whole of <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file is missing or cannot be opened or mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is a directory or not readable.</exception>
    public MappedFile(string path)
    {
        var handle = File.OpenHandle(path);
        try
        {
            Length = RandomAccess.GetLength(handle);
            if (Length > 0)
            {
                _mapping = MemoryMappedFile.CreateFromFile(
                    handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
                _view = _mapping.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
                _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        finally
        {
            handle.Dispose();
        }
    }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>The first byte; null for an empty file.</summary>
    public byte* Pointer => _pointer;

    /// <summary><paramref name="count"/> bytes from <paramref name="offset"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the file.</exception>
    public ReadOnlySpan<byte> Span(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        ObjectDisposedException.ThrowIf(_pointer == null && Length > 0, this);
        return new(_pointer + offset, count);
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        if (_pointer != null)
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _pointer = null;
        _view?.Dispose();
        _mapping?.Dispose();
    }
}
