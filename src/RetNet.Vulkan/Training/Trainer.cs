using System.Diagnostics;
using System.Globalization;
using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The training loop: steps of several windows, their gradients gathered from as many passes as the model needs, one update
/// each; validation and checkpoints in between. A run that was stopped goes on from its last checkpoint exactly as it would
/// have without the stop.
/// </summary>
public sealed class Trainer
{
    private readonly ITrainable _model;
    private readonly TrainingData _data;
    private readonly TrainerOptions _options;
    private readonly CheckpointFolder _folder;
    private readonly TrainingRun _run;
    private readonly List<TrainingRow> _history;
    private readonly Stopwatch _clock = new();
    private readonly double _secondsBefore;
    private readonly int[] _inputs;
    private readonly int[] _targets;
    private LossScale _lossScale;
    private int _step;
    private int _savedStep;
    private TimeSpan _savedAt;
    private (long Epoch, int[] Windows) _order = (-1, []);

    /// <param name="model">What is trained; from a checkpoint, already restored.</param>
    /// <param name="data">The tokens.</param>
    /// <param name="options">How.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="folder">Where checkpoints go.</param>
    /// <param name="run">What checkpoints say of the run.</param>
    /// <exception cref="ArgumentException">The batch is no whole number of passes.</exception>
    public Trainer(ITrainable model, TrainingData data, TrainerOptions options, TrainingState state, CheckpointFolder folder, TrainingRun run)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        if (options.Batch < 1 || options.Batch % model.Sequences != 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"a batch of {options.Batch} is no multiple of the {model.Sequences} sequences of a pass"), nameof(options));
        (_model, _data, _options, _folder, _run) = (model, data, options, folder, run);
        (_step, _savedStep, _lossScale, _secondsBefore) = (state.Step, state.Step, state.LossScale, state.Seconds);
        _history = [.. state.History];
        _inputs = new int[model.Sequences * data.Training.Length];
        _targets = new int[_inputs.Length];
    }

    /// <summary>Told of every step.</summary>
    public Action<TrainingRow>? OnStep { get; init; }

    /// <summary>Told the path of every checkpoint.</summary>
    public Action<string>? OnCheckpoint { get; init; }

    /// <summary>Every step so far, those before a stop included.</summary>
    public IReadOnlyList<TrainingRow> History => _history;

    /// <summary>Times through the training text, the share of the present one included.</summary>
    public double Epoch => (double)_step * _options.Batch / _data.Training.Windows;

    private double Seconds => _secondsBefore + _clock.Elapsed.TotalSeconds;

    /// <summary>Takes steps until all are taken or it is cancelled, and leaves a checkpoint of the last.</summary>
    /// <returns>Whether all steps are taken.</returns>
    /// <exception cref="TrainingException">The loss or a gradient is not finite, or a checkpoint cannot be written; the checkpoints before are untouched.</exception>
    public bool Run(CancellationToken cancellation = default)
    {
        _clock.Start();
        if (_step == 0 && _history.Count == 0 && _data.Validation.Windows > 0)
            Add(new(0, float.NaN, (float)Validate(), float.NaN, float.NaN, (float)_lossScale.Value, 0, (float)Seconds));
        while (_step < _options.Schedule.Steps && !cancellation.IsCancellationRequested)
        {
            Add(TakeStep());
            if (CheckpointIsDue())
                Save();
        }

        if (_step > _savedStep)
            Save();
        return _step >= _options.Schedule.Steps;
    }

    private void Add(TrainingRow row)
    {
        _history.Add(row);
        OnStep?.Invoke(row);
    }

    private TrainingRow TakeStep()
    {
        var (first, scale, rate) = ((long)_step * _options.Batch, _lossScale, _options.Schedule.At(_step));
        var windows = Enumerable.Range(0, _options.Batch).Select(i => WindowAt(first + i)).ToArray();
        var targets = windows.Sum(window => Math.Min(_data.Training.Length, _data.Training.Targets - window * _data.Training.Length));
        _model.ZeroGradients();
        var loss = windows.Chunk(_model.Sequences).Sum(pass =>
        {
            Copy(_data.Training, pass);
            return _model.Accumulate(_inputs, _targets, scale.Value / targets);
        }) / targets;
        if (!double.IsFinite(loss))
            throw Diverged(string.Create(CultureInfo.InvariantCulture, $"the loss is {loss}"));

        var norm = _model.Update(rate, scale.Value);
        if (!double.IsFinite(norm) && !scale.CanFall)
            throw Diverged(string.Create(CultureInfo.InvariantCulture, $"the norm of the gradients is {norm}"));
        _lossScale = scale.After(double.IsFinite(norm));
        _step++;
        var validation = _step % _options.ValidateEvery == 0 || _step == _options.Schedule.Steps ? Validate() : double.NaN;
        return new(_step, (float)loss, (float)validation, (float)rate, (float)norm, (float)scale.Value, targets, (float)Seconds);
    }

    /// <summary>The window at a place of the whole run: epochs follow one another without a gap.</summary>
    private int WindowAt(long place)
    {
        var epoch = Math.DivRem(place, _data.Training.Windows, out var at);
        if (_order.Epoch != epoch)
            _order = (epoch, WindowOrder.Of(_data.Training.Windows, _options.Seed, epoch));
        return _order.Windows[at];
    }

    private double Validate()
    {
        var data = _data.Validation;
        var windows = Enumerable.Range(0, _options.ValidationWindows == 0 ? data.Windows : Math.Min(_options.ValidationWindows, data.Windows));
        var (sum, targets) = (0.0, 0L);
        foreach (var pass in windows.Chunk(_model.Sequences))
        {
            targets += Copy(data, pass);
            sum += _model.Evaluate(_inputs, _targets);
        }

        return sum / targets;
    }

    /// <summary>Fills a pass; sequences for which there is no window do not count.</summary>
    private int Copy(PackedTokens data, ReadOnlySpan<int> windows)
    {
        Array.Clear(_inputs);
        Array.Fill(_targets, PackedTokens.Ignored);
        var (targets, length) = (0, data.Length);
        for (var i = 0; i < windows.Length; i++)
            targets += data.Copy(windows[i], _inputs.AsSpan(i * length, length), _targets.AsSpan(i * length, length));
        return targets;
    }

    private bool CheckpointIsDue() =>
        (_options.CheckpointEvery > 0 && _step % _options.CheckpointEvery == 0) ||
        (_options.CheckpointAfter > TimeSpan.Zero && _clock.Elapsed - _savedAt >= _options.CheckpointAfter);

    private void Save()
    {
        var state = new TrainingState { Step = _step, LossScale = _lossScale, Seconds = Seconds, History = _history };
        string path;
        try
        {
            path = _folder.Save(_step, part => TrainingCheckpoint.Write(part, _model, _data.Fingerprint, _run, state));
        }
        catch (Exception e) when (e is GgufException or TrainingException)
        {
            throw new TrainingException($"{e.Message}; {LastGood}", e);
        }

        _folder.Keep(_options.KeptCheckpoints);
        (_savedStep, _savedAt) = (_step, _clock.Elapsed);
        OnCheckpoint?.Invoke(path);
    }

    private string LastGood => _folder.Latest is { } path ? $"the last good checkpoint is {path}" : "there is no checkpoint yet";

    private TrainingException Diverged(string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{what} in step {_step + 1}, so training has diverged; {LastGood}; try a lower learning rate or a longer warm-up"));
}
