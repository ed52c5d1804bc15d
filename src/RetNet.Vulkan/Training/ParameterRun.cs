namespace RetNet.Vulkan.Training;

/// <summary>Trained tensors that lie one after the other, for an optimiser to take at once.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Floats">Floats of all, the zeros between them included.</param>
internal readonly record struct ParameterRun(ParameterTensor First, long Floats)
{
    /// <summary>Most floats of a run: a dispatch has a limited number of workgroups.</summary>
    private const long Most = 1 << 27;

    /// <summary>The runs of a set.</summary>
    public static List<ParameterRun> Of(ParameterSet parameters)
    {
        var runs = new List<ParameterRun>();
        foreach (var tensor in parameters.Tensors.Where(tensor => tensor.Trainable))
        {
            if (runs.Count > 0 && runs[^1] is var last && last.End(tensor) is { } end && end <= Most)
                runs[^1] = last with { Floats = end };
            else
                runs.Add(new(tensor, tensor.Floats));
        }

        return runs;
    }

    /// <summary>Floats of the run if it went on to the end of a tensor; null where it cannot.</summary>
    private long? End(ParameterTensor tensor)
    {
        var (weights, gradients) = (tensor.Offset - First.Offset, tensor.GradientOffset - First.GradientOffset);
        return tensor.Group == First.Group && tensor.Decays == First.Decays && weights == gradients ? gradients + tensor.Floats : null;
    }
}
