using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Sequences on a model that are decoded together, one token of each a step. Each has its own position, sampler and end; when one
/// ends, another takes its place while the others go on, and each gets the tokens that it would get alone. A step costs what
/// the batch's size makes it cost, however many sequences are live. Not thread-safe; dispose it before the model.
/// </summary>
public sealed class RecurrentBatch : IDisposable
{
    /// <summary>Sequences at once at most.</summary>
    public const int MostSequences = 64;

    private readonly RetNetModel _model;
    private readonly SequenceBatch _prompts;
    private readonly RecurrentStep _step;
    private readonly Recording _recording;
    private readonly StepPipeline _pipeline;
    private readonly KernelTimings? _timings;
    private readonly BatchedSequence?[] _slots;

    /// <summary>Who takes part in the submissions in flight, oldest first.</summary>
    private readonly Queue<BatchedSequence[]> _running = new();

    /// <summary>Takes the memory for a number of sequences; none is there yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sequences">Sequences at once, 1 to <see cref="MostSequences"/>.</param>
    /// <param name="stateType">How the device keeps the states.</param>
    /// <param name="timings">Where given, kernels are timed into it; nothing runs ahead then.</param>
    /// <exception cref="ArgumentOutOfRangeException">Too many or too few sequences.</exception>
    /// <exception cref="GpuException">The memory is not there.</exception>
    public RecurrentBatch(RetNetModel model, int sequences, StateType stateType = StateType.F32, KernelTimings? timings = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, MostSequences);
        (_model, _timings) = (model, timings);
        _prompts = new SequenceBatch(model, sequences, SequenceOptions.ForPrompts(model.Device.Capabilities, model.WeightType, stateType));
        _step = new RecurrentStep(model, State);
        _recording = model.Device.Record("decoding step", _step.Record, timings);
        _pipeline = new StepPipeline(model.Device, _recording, runAhead: timings is null);
        _slots = new BatchedSequence?[sequences];
        SetEntries(Enumerable.Range(0, sequences));
    }

    /// <summary>The states by slot. While steps are in flight the device is ahead of the positions here.</summary>
    public RetentionState State => _prompts.State;

    /// <summary>What the model computes.</summary>
    public RetNetConfig Config => _model.Config;

    /// <summary>Sequences that can be added now.</summary>
    public int Free => _slots.Count(sequence => sequence is null);

    /// <summary>Sequences that have not ended.</summary>
    public int Live => _slots.Length - Free;

    /// <summary>Adds what a batch takes of the device's memory to a plan.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config, int sequences, StateType stateType = StateType.F32) =>
        new MemoryPlan()
            .Add("state", (ulong)sequences * RetentionState.BytesOf(config, stateType))
            .Add("activations", SequencePass.PromptBytes(device, config))
            .Add("decoding", RecurrentStep.BytesOf(device, config, sequences));

    /// <summary>Adds sequences and takes their prompts in, all together; the others go on afterwards.</summary>
    /// <param name="requests">As many as are <see cref="Free"/> at most.</param>
    /// <exception cref="ArgumentException">There are too many, or a request is not valid; none is added then.</exception>
    public IReadOnlyList<BatchedSequence> Add(params IReadOnlyList<SequenceRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count > Free)
            throw new ArgumentException($"{requests.Count} sequences do not fit; {Free} of {_slots.Length} places are free");
        foreach (var request in requests)
            request.Validate(Config);
        if (requests.Count == 0)
            return [];

        var slots = Enumerable.Range(0, _slots.Length).Where(slot => _slots[slot] is null).Take(requests.Count).ToArray();
        BatchedSequence[] added = [.. requests.Zip(slots, (request, slot) => new BatchedSequence(request, slot))];
        var prompts = new ReadOnlyMemory<int>[_slots.Length];
        foreach (var sequence in added)
            prompts[sequence.Slot] = sequence.Request.Prompt[..^1];
        State.Clear(slots);
        _prompts.Feed(prompts);
        foreach (var sequence in added)
        {
            var prompt = sequence.Request.Prompt.Span;
            for (var i = 0; i < prompt.Length; i++)
                _step.Log[sequence.Slot, i] = prompt[i];
            _slots[sequence.Slot] = sequence;
        }

        SetEntries(slots);
        return added;
    }

    /// <summary>Ends a sequence now; tokens that the device has sampled ahead for it are not returned.</summary>
    public void Stop(BatchedSequence sequence)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        if (sequence.HasEnded || _slots[sequence.Slot] != sequence)
            return;
        End(sequence);
        SetEntries([sequence.Slot]);
    }

    /// <summary>
    /// The tokens sampled next: of one or more steps, in order, one of each live sequence a step; none when no sequence is live.
    /// The device runs ahead of the reader by up to two submissions of about 10 ms.
    /// </summary>
    /// <exception cref="GpuException">Logits of a sequence are no numbers; the batch is of no use then.</exception>
    public IReadOnlyList<BatchToken> Next()
    {
        var tokens = new List<BatchToken>();
        do
        {
            while (_pipeline.HasRoom && Wanted is > 0 and var wanted)
                Submit(wanted);
            if (_pipeline.IsEmpty)
                break;
            var sequences = _running.Dequeue();
            var steps = _pipeline.Wait();
            _timings?.Read();
            for (; steps > 0; steps--)
                foreach (var sequence in sequences.Where(sequence => !sequence.HasEnded))
                    tokens.Add(Read(sequence));
        }
        while (tokens.Count == 0); // all that took part may have ended in the submission before
        return tokens;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (!_pipeline.IsEmpty)
            _pipeline.Wait();
        _recording.Dispose();
        _step.Dispose();
        _prompts.Dispose();
    }

    /// <summary>Moves every live sequence to a position with a random state, for measurements; none has decoded anything yet.</summary>
    internal void StartAt(long position, uint seed)
    {
        State.FillRandom(seed);
        foreach (var sequence in LiveSequences)
        {
            State.SetPosition(sequence.Slot, position);
            _step.Log[sequence.Slot, position] = sequence.Request.Prompt.Span[^1];
        }

        SetEntries(Enumerable.Range(0, _slots.Length));
    }

    private IEnumerable<BatchedSequence> LiveSequences => _slots.OfType<BatchedSequence>();

    /// <summary>Steps after which every live sequence has as many tokens as were asked for.</summary>
    private long Wanted => LiveSequences.Select(sequence => sequence.Request.MaxTokens - sequence.Submitted).DefaultIfEmpty().Max();

    private void Submit(long most)
    {
        var steps = _pipeline.Submit(most);
        BatchedSequence[] sequences = [.. LiveSequences];
        foreach (var sequence in sequences)
            sequence.Submitted += steps;
        _running.Enqueue(sequences);
    }

    private BatchToken Read(BatchedSequence sequence)
    {
        var position = State.Positions[sequence.Slot] + 1;
        State.SetPosition(sequence.Slot, position);
        var token = _step.Log.Sampled(sequence.Slot, position);
        sequence.Append(token);
        if (sequence.HasEnded)
            End(sequence);
        return new(sequence, token, sequence.HasEnded);
    }

    private void End(BatchedSequence sequence)
    {
        sequence.HasEnded = true;
        _slots[sequence.Slot] = null;
    }

    /// <summary>Tells the device what is in some slots.</summary>
    private void SetEntries(IEnumerable<int> slots)
    {
        foreach (var slot in slots)
            _step.Table.Set(
                slot, State.Positions[slot],
                _slots[slot] is { } sequence ? (uint)Math.Min(sequence.Left, SequenceTable.Unlimited) : 0,
                SamplerEntry.Of(_slots[slot]?.Request.Sampler ?? SamplerOptions.Greedy, _slots[slot]?.Request.Ends ?? []));
        _step.Table.Upload(slots);
    }
}
