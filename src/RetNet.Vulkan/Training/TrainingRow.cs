namespace RetNet.Vulkan.Training;

/// <summary>What a step did; NaN stands for what was not measured.</summary>
/// <param name="Step">Steps taken, this one included; 0 is the model before the first.</param>
/// <param name="Loss">Mean −ln p of the step's targets in nats, before its update.</param>
/// <param name="ValidationLoss">The same of the validation text, after the update.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="GradientNorm">Norm of all gradients before clipping; not finite where the step was left out.</param>
/// <param name="LossScale">The factor on the loss.</param>
/// <param name="Tokens">Targets that counted.</param>
/// <param name="Seconds">Time since training began, stops left out.</param>
public readonly record struct TrainingRow(int Step, float Loss, float ValidationLoss, float LearningRate, float GradientNorm, float LossScale, int Tokens, float Seconds);
