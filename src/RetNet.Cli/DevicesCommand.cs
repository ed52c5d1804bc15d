using System.Globalization;
using System.Text.Json;
using CommandLine;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>Lists the Vulkan devices of this machine.</summary>
[Verb("devices", HelpText = "List the Vulkan devices and what they lack.")]
internal sealed class DevicesCommand : ICommand
{
    [Option("json", HelpText = "Everything known about each device, as JSON.")]
    public bool Json { get; set; }

    [Option("kernels", HelpText = "Compile every kernel for the model and for a shape of 1.3 billion parameters, and tell what the driver tells about it: registers, spills, occupancy. Nothing runs.")]
    public bool Kernels { get; set; }

    [Option('d', "device", MetaValue = "D", HelpText = "With --kernels: its index, its UUID, or a part of its name. (Default: the best GPU)")]
    public string? Device { get; set => field = Arguments.Plain(value); }

    [Option('m', "model", MetaValue = "FILE", HelpText = "With --kernels: GGUF of a RetNet. (Default: " + Folders.BundledModel + " beside the program)")]
    public string? Model { get; set => field = Arguments.Plain(value); }

    public int Run(Terminal terminal)
    {
        using var instance = new GpuInstance();
        if (Kernels)
            WriteKernels(terminal.Out, instance);
        else if (Json)
            JsonOutput.Write(terminal.Out, writer => WriteJson(writer, instance.Gpus));
        else if (instance.Gpus.Count == 0)
            instance.Choose(null);
        else
            WriteTable(terminal.Out, instance.Gpus);
        return ExitCode.Success;
    }

    private void WriteKernels(TextWriter writer, GpuInstance instance)
    {
        using var file = Folders.OpenModel(Model);
        // No pipeline cache: what comes out of one has no statistics with some drivers.
        using var device = new GpuDevice(instance.Choose(Device), statistics: true);
        var surveys = new[] { RetNetGguf.ReadConfig(file), ModelShape.Parse("1.3b").Config }.Select(config => new KernelTable(config.Name, [.. KernelSurvey.Run(device, config)])).ToArray();
        if (Json)
            JsonOutput.Write(writer, json => KernelTable.Write(json, device.Gpu, surveys));
        else
        {
            writer.WriteLine(device.Gpu);
            foreach (var survey in surveys)
                survey.Write(writer);
        }
    }

    private static void WriteTable(TextWriter writer, IReadOnlyList<PhysicalGpu> gpus)
    {
        var table = new TextTable("#>", "device", "driver", "kind", "Vulkan", "memory>", "subgroup>", "matrix units", "runs");
        foreach (var gpu in gpus)
        {
            var can = gpu.Capabilities;
            table.Add(
                Text(gpu.Index),
                gpu.Name,
                gpu.Driver,
                Kind(can.Kind),
                can.ApiVersion.ToString(),
                MemoryPlan.Size(can.DeviceMemoryBytes),
                Text((int)can.SubgroupSize),
                MatrixUnits(can),
                can.MissingRequirement is { } missing ? $"no, lacks {missing}" : "yes");
        }

        table.Write(writer);
    }

    private static void WriteJson(Utf8JsonWriter writer, IReadOnlyList<PhysicalGpu> gpus)
    {
        writer.WriteStartArray();
        foreach (var gpu in gpus)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", gpu.Index);
            writer.WriteString("name", gpu.Name);
            writer.WriteString("driver", gpu.Driver);
            writer.WriteString("vendor", gpu.Vendor);
            writer.WriteString("uuid", gpu.Uuid);
            writer.WriteString("missing", gpu.Capabilities.MissingRequirement);
            writer.WriteStartObject("capabilities");
            WriteCapabilities(writer, gpu.Capabilities);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteCapabilities(Utf8JsonWriter writer, in DeviceCapabilities can)
    {
        writer.WriteString("kind", Kind(can.Kind));
        writer.WriteString("apiVersion", can.ApiVersion.ToString());
        writer.WriteNumber("subgroupSize", can.SubgroupSize);
        writer.WriteBoolean("subgroupArithmetic", can.SubgroupArithmetic);
        writer.WriteBoolean("bufferDeviceAddress", can.BufferDeviceAddress);
        writer.WriteBoolean("timelineSemaphore", can.TimelineSemaphore);
        writer.WriteNumber("sharedMemoryBytes", can.SharedMemoryBytes);
        writer.WriteNumber("workgroupInvocations", can.WorkgroupInvocations);
        writer.WriteNumber("workgroupCount", can.WorkgroupCount);
        writer.WriteNumber("pushConstantBytes", can.PushConstantBytes);
        writer.WriteNumber("maxAllocationBytes", can.MaxAllocationBytes);
        writer.WriteNumber("deviceMemoryBytes", can.DeviceMemoryBytes);
        writer.WriteBoolean("hostVisibleDeviceMemory", can.HostVisibleDeviceMemory);
        writer.WriteNumber("timestampPeriod", can.TimestampPeriod);
        writer.WriteBoolean("memoryBudget", can.MemoryBudget);
        writer.WriteBoolean("float16", can.Float16);
        writer.WriteBoolean("storage16Bit", can.Storage16Bit);
        writer.WriteBoolean("storage8Bit", can.Storage8Bit);
        writer.WriteBoolean("integerDotProduct", can.IntegerDotProduct);
        writer.WriteBoolean("memoryModel", can.MemoryModel);
        writer.WriteBoolean("memoryModelDeviceScope", can.MemoryModelDeviceScope);
        writer.WriteBoolean("int8", can.Int8);
        writer.WriteBoolean("int16", can.Int16);
        writer.WriteBoolean("int64", can.Int64);
        writer.WriteBoolean("subgroupBroadcast", can.SubgroupBroadcast);
        writer.WriteBoolean("pipelineStatistics", can.PipelineStatistics);
        WriteSubgroupSizes(writer, can.SubgroupSizeControl);
        WriteMatrixShapes(writer, can.MatrixShapes);
        WriteWorkgroupMatrices(writer, can.WorkgroupMatrices);
    }

    private static void WriteSubgroupSizes(Utf8JsonWriter writer, SubgroupSizes? sizes)
    {
        if (sizes is not { } range)
        {
            writer.WriteNull("subgroupSizeControl");
            return;
        }

        writer.WriteStartObject("subgroupSizeControl");
        writer.WriteNumber("min", range.Min);
        writer.WriteNumber("max", range.Max);
        writer.WriteBoolean("full", range.Full);
        writer.WriteEndObject();
    }

    private static void WriteMatrixShapes(Utf8JsonWriter writer, IReadOnlyList<MatrixShape> shapes)
    {
        writer.WriteStartArray("matrixShapes");
        foreach (var shape in shapes)
        {
            writer.WriteStartObject();
            writer.WriteNumber("m", shape.M);
            writer.WriteNumber("n", shape.N);
            writer.WriteNumber("k", shape.K);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteWorkgroupMatrices(Utf8JsonWriter writer, WorkgroupMatrices? matrices)
    {
        if (matrices is null)
        {
            writer.WriteNull("workgroupMatrices");
            return;
        }

        writer.WriteStartObject("workgroupMatrices");
        writer.WriteStartArray("granularities");
        foreach (var row in matrices.Granularities)
        {
            writer.WriteStartObject();
            writer.WriteNumber("m", row.M);
            writer.WriteNumber("n", row.N);
            writer.WriteNumber("k", row.K);
            writer.WriteNumber("invocations", row.Invocations);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("maxInvocations", matrices.MaxInvocations);
        writer.WriteNumber("maxDimension", matrices.MaxDimension);
        writer.WriteNumber("reservedSharedMemoryBytes", matrices.ReservedSharedMemoryBytes);
        writer.WriteBoolean("reductions", matrices.Reductions);
        writer.WriteBoolean("conversions", matrices.Conversions);
        writer.WriteBoolean("perElementOperations", matrices.PerElementOperations);
        writer.WriteEndObject();
    }

    /// <summary>What they multiply, M x N x K of f16, and NV2 where matrices can belong to a workgroup.</summary>
    private static string MatrixUnits(DeviceCapabilities can)
    {
        var parts = can.MatrixShapes.Select(shape => shape.ToString()).ToList();
        if (can.WorkgroupMatrices is not null)
            parts.Add("NV2");
        return parts.Count == 0 ? "none" : string.Join(", ", parts);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Kind(DeviceKind kind) => kind switch
    {
        DeviceKind.DiscreteGpu => "discrete",
        DeviceKind.IntegratedGpu => "integrated",
        DeviceKind.VirtualGpu => "virtual",
        DeviceKind.Cpu => "processor",
        _ => "other",
    };
}
