namespace RetNet.Vulkan.Training;

/// <summary>
/// A learning rate that rises linearly over the first steps and falls along half a cosine to a floor (Loshchilov and Hutter,
/// "SGDR", 2017), as nanoGPT has it.
/// </summary>
/// <param name="Peak">The highest rate.</param>
/// <param name="Floor">The rate of the end, and of every step after it.</param>
/// <param name="WarmUp">Steps that it rises.</param>
/// <param name="Steps">Steps of the whole run.</param>
public readonly record struct LearningRateSchedule(double Peak, double Floor, int WarmUp, int Steps)
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">Steps taken before it.</param>
    public double At(int step)
    {
        if (step < WarmUp)
            return Peak * (step + 1) / (WarmUp + 1);
        if (step >= Steps)
            return Floor;
        var done = (double)(step - WarmUp) / (Steps - WarmUp);
        return Floor + (Peak - Floor) * (1 + Math.Cos(Math.PI * done)) / 2;
    }
}
