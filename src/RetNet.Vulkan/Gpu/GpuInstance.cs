using System.Globalization;
using System.Runtime.InteropServices;
using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>The Vulkan loader and its devices. Thread-safe once created; dispose it after the devices opened from it.</summary>
public sealed unsafe class GpuInstance : IDisposable
{
    private const string ValidationLayer = "VK_LAYER_KHRONOS_validation";
    private readonly DebugMessenger? _messenger;

    /// <summary>Loads Vulkan and lists the devices.</summary>
    /// <param name="validate">
    /// Turns on the Khronos validation layer and debug names; every message of the layer reaches <paramref name="onMessage"/>.
    /// </param>
    /// <param name="onMessage">Receives the validation layer's messages; they are lost when null.</param>
    /// <exception cref="GpuException">There is no loader, no driver, or no validation layer where one is asked for.</exception>
    public GpuInstance(bool validate = false, Action<string>? onMessage = null)
    {
        Vk = LoadVulkan();
        Validating = validate;
        Handle = CreateInstance(validate);
        Vk.CurrentInstance = Handle;
        if (validate)
            _messenger = new DebugMessenger(Vk, Handle, onMessage ?? (_ => { }));
        Gpus = ListDevices();
    }

    /// <summary>The devices in the loader's order.</summary>
    public IReadOnlyList<PhysicalGpu> Gpus { get; }

    /// <summary>Whether validation layers and debug names are on.</summary>
    public bool Validating { get; }

    /// <summary>The version of Vulkan that the validation layer was written for; null without it.</summary>
    internal Version? ValidationVersion { get; private set; }

    internal Vk Vk { get; }

    internal Instance Handle { get; }

    internal DebugMessenger? Messenger => _messenger;

    /// <summary>
    /// Chooses a device: by index (<c>1</c>), by UUID, or by a part of its name or of its driver's name, whatever the case. Null takes the best
    /// kind there is (discrete, integrated, virtual, processor), the first among equals.
    /// </summary>
    /// <exception cref="GpuException">No device fits, several do, or the one that does lacks what the kernels need.</exception>
    public PhysicalGpu Choose(string? wanted)
    {
        if (Gpus.Count == 0)
            throw new GpuException("No Vulkan device found. Install a driver: your GPU vendor's, or Mesa's (Debian: apt-get install mesa-vulkan-drivers, which also runs without a GPU).");
        if (wanted is null)
        {
            var usable = Gpus.Where(gpu => gpu.Capabilities.MissingRequirement is null).OrderBy(gpu => gpu.Capabilities.Kind);
            return usable.FirstOrDefault() ?? Usable(Gpus[0]);
        }

        if (int.TryParse(wanted, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            return index >= 0 && index < Gpus.Count ? Usable(Gpus[index]) : throw new GpuException($"There is no device {wanted}; {Listing()}");
        var matches = Guid.TryParse(wanted, out var uuid)
            ? Gpus.Where(gpu => gpu.Uuid == uuid).ToList()
            : Gpus.Where(gpu => gpu.ToString().Contains(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
        return matches.Count switch
        {
            1 => Usable(matches[0]),
            0 => throw new GpuException($"No device is called '{wanted}'; {Listing()}"),
            _ => throw new GpuException($"'{wanted}' names {matches.Count} devices; choose one by its index: {Listing()}"),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _messenger?.Dispose();
        Vk.DestroyInstance(Handle, null);
    }

    private static PhysicalGpu Usable(PhysicalGpu gpu) => gpu.Capabilities.MissingRequirement is { } missing
        ? throw new GpuException($"{gpu.Name} cannot run the kernels: it lacks {missing}.")
        : gpu;

    private static Vk LoadVulkan()
    {
        try
        {
            return Vk.GetApi();
        }
        catch (Exception e) when (e is DllNotFoundException or FileNotFoundException)
        {
            throw new GpuException("No Vulkan loader found (libvulkan.so.1, vulkan-1.dll). Install it: your GPU vendor's driver brings it; Debian: apt-get install libvulkan1 mesa-vulkan-drivers.", e);
        }
    }

    private string Listing() => $"there are: {string.Join("; ", Gpus.Select(gpu => $"{gpu.Index} = {gpu.Name}"))}.";

    private Instance CreateInstance(bool validate)
    {
        ValidationVersion = validate ? LayerVersion(ValidationLayer) : null;
        if (validate && ValidationVersion is null)
            throw new GpuException($"Validation was asked for, but the layer {ValidationLayer} is not installed (Debian: apt-get install vulkan-validationlayers).");
        var layer = Marshal.StringToCoTaskMemUTF8(ValidationLayer);
        var debugUtils = Marshal.StringToCoTaskMemUTF8("VK_EXT_debug_utils");
        var application = Marshal.StringToCoTaskMemUTF8("RetNet.Vulkan");
        try
        {
            var applicationInfo = new ApplicationInfo
            {
                SType = StructureType.ApplicationInfo,
                PApplicationName = (byte*)application,
                PEngineName = (byte*)application,
                // The newest version that is used where the device has it.
                ApiVersion = Vk.Version13,
            };
            var layers = (byte*)layer;
            var extensions = (byte*)debugUtils;
            var info = new InstanceCreateInfo
            {
                SType = StructureType.InstanceCreateInfo,
                PApplicationInfo = &applicationInfo,
                EnabledLayerCount = validate ? 1u : 0u,
                PpEnabledLayerNames = &layers,
                EnabledExtensionCount = validate ? 1u : 0u,
                PpEnabledExtensionNames = &extensions,
            };
            Instance instance;
            var result = Vk.CreateInstance(&info, null, &instance);
            if (result == Result.ErrorIncompatibleDriver)
                throw new GpuException("No Vulkan driver found. Install one: your GPU vendor's, or Mesa's (Debian: apt-get install mesa-vulkan-drivers, which also runs without a GPU).");
            result.ThrowOnError("vkCreateInstance");
            return instance;
        }
        finally
        {
            Marshal.FreeCoTaskMem(layer);
            Marshal.FreeCoTaskMem(debugUtils);
            Marshal.FreeCoTaskMem(application);
        }
    }

    private Version? LayerVersion(string name)
    {
        uint count = 0;
        Vk.EnumerateInstanceLayerProperties(&count, null).ThrowOnError("vkEnumerateInstanceLayerProperties");
        var layers = new LayerProperties[count];
        fixed (LayerProperties* first = layers)
        {
            Vk.EnumerateInstanceLayerProperties(&count, first).ThrowOnError("vkEnumerateInstanceLayerProperties");
            for (var i = 0; i < count; i++)
                if (Marshal.PtrToStringUTF8((nint)first[i].LayerName) == name)
                    return PhysicalGpuQuery.ToVersion(first[i].SpecVersion);
        }

        return null;
    }

    private PhysicalGpu[] ListDevices()
    {
        uint count = 0;
        var result = Vk.EnumeratePhysicalDevices(Handle, &count, null);
        if (result == Result.ErrorInitializationFailed)
            return [];
        result.ThrowOnError("vkEnumeratePhysicalDevices");
        var handles = new PhysicalDevice[count];
        fixed (PhysicalDevice* first = handles)
            Vk.EnumeratePhysicalDevices(Handle, &count, first).ThrowOnError("vkEnumeratePhysicalDevices");
        return [.. handles.Select((handle, index) => new PhysicalGpu(this, handle, index))];
    }
}
