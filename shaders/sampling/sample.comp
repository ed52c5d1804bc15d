#version 460
// The next token of each sequence from its logits: log[position] ← token, steps left ← steps left − 1, or 0 where the token
// ends the sequence. A workgroup a sequence; one without steps left is skipped. Where the largest logit is no number the token is
// NONE, which ends the sequence and which the host refuses.
//
//   l      ← l / r where l > 0, l · r where l ≤ 0, for tokens among the last `repeatWindow`  (repetition penalty)
//   C      = { i : l_i ≥ t },  t = max(top-k threshold, top-p threshold of the softmax over top-k, max + ln(min-p))
//   token  = argmax over C of l_i / T + G_i,  G_i = −ln(−ln u_i)                             (Gumbel maximum)
//
// The Gumbel maximum draws exactly from softmax(l / T) over C without sorting or a running sum. Filters act on
// the untempered distribution, the temperature afterwards (llama.cpp's order). u_i is a hash of (seed, position,
// i), so the same seed gives the same text; every other sum here is of integers or in a fixed order. T = 0 takes
// the largest logit, the lowest index among equals. Equal logits at a threshold are all kept.
//
// Logits are walked with several loads in flight, and as seldom as can be: once where T = 0, and twice for a top-k of up to
// GROUPS / 2. The K-th largest of the maxima of GROUPS groups is at most the K-th largest logit; what is not below it, hardly
// more than K tokens, goes to shared memory, and filters and draw look at nothing else.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x_id = 0) in; // a power of two, whole subgroups
layout(constant_id = 1) const uint AT_ONCE = 8; // loads in flight a thread

#include "buffers.glsl"
#include "workgroup.glsl"

const uint THREADS = gl_WorkGroupSize.x;
const uint GROUPS = THREADS > 256 ? THREADS : 256;
const uint BINS = 256;
const uint MOST_RECENT = 4096;
const uint MOST_ENDS = 8;
const uint NONE = 0xFFFFFFFFu;

// Thresholds that are searched one after the other: the K-th largest of the groups' maxima, of the logits, and top-p's.
const uint SEARCH_GROUPS = 0;
const uint SEARCH_TOP_K = 1;
const uint SEARCH_TOP_P = 2;

// Mirrored by SamplerEntry.
struct Sampler
{
    float temperature;
    uint topK;           // 0: off
    float topP;          // 1: off
    float logMinP;       // −∞: off
    float repeatPenalty; // 1: off
    uint repeatWindow;
    uint seedLow;
    uint seedHigh;
    uint ends[MOST_ENDS]; // tokens that end the sequence; NONE where there are fewer
};

layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Samplers { Sampler at[]; };

layout(push_constant, std430) uniform Arguments
{
    Floats logits;     // [sequences][vocabulary]; the penalty is applied in place
    Words tokens;      // [sequences][logMask + 1], a ring of tokens each
    Words positions;   // [sequences], tokens consumed so far
    Words stepsLeft;   // [sequences]
    Samplers samplers; // [sequences]
    uint vocabulary;
    uint logMask;
};

shared uint bins[BINS];
shared uint chosen;
shared uint remaining;
shared uint bestKey;
shared uint bestToken;
shared uint listed[MOST_RECENT]; // the last tokens, later the candidates in no order
shared uint listedCount;
shared float candidateLogits[GROUPS];
shared uint candidateTokens[GROUPS];

// What filters and draw look at: the candidates, or all logits.
bool few = false;
uint items;
uint row; // the sequence's first logit

float logitOf(uint i)
{
    return few ? candidateLogits[i] : logits.at[row + i];
}

uint tokenOf(uint i)
{
    return few ? candidateTokens[i] : i;
}

// Items first, first + step and so on, loaded together; past the last one it is that again.
void load(uint first, uint step, out float l[AT_ONCE])
{
    [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
        l[e] = logitOf(min(first + e * step, items - 1));
}

// Floats in the order of unsigned integers.
uint orderedKey(float x)
{
    const uint bits = floatBitsToUint(x);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

// What floats of these keys are not between are no numbers: those of +∞ and −∞.
const uint LARGEST_KEY = 0xFF800000u;
const uint SMALLEST_KEY = 0x007FFFFFu;

float ofKey(uint key)
{
    return uintBitsToFloat((key & 0x80000000u) != 0 ? key & 0x7FFFFFFFu : ~key);
}

void penalizeRepetition(uint sequence, uint consumed, uint repeatWindow, float penalty)
{
    const uint window = min(min(repeatWindow, consumed), min(logMask + 1, MOST_RECENT));
    const uint log = sequence * (logMask + 1);
    for (uint back = gl_LocalInvocationID.x; back < window; back += THREADS)
        listed[back] = tokens.at[log + ((consumed - 1 - back) & logMask)];
    barrier();
    for (uint back = gl_LocalInvocationID.x; back < window; back += THREADS)
    {
        const uint token = listed[back];
        bool later = false; // penalise each token once, at its latest place
        for (uint i = 0; i < back && !later; i++)
            later = listed[i] == token;
        if (!later)
        {
            const float l = logits.at[row + token];
            logits.at[row + token] = l > 0.0 ? l / penalty : l * penalty;
        }
    }
    memoryBarrierBuffer();
    barrier();
}

// Largest of (key, −token) over the workgroup.
void reduceLargest(inout uint key, inout uint token)
{
    if (gl_LocalInvocationID.x == 0)
    {
        bestKey = 0;
        bestToken = NONE;
    }
    barrier();
    const uint largest = subgroupMax(key);
    if (subgroupElect())
        atomicMax(bestKey, largest);
    barrier();
    const uint first = subgroupMin(key == bestKey ? token : NONE);
    if (subgroupElect())
        atomicMin(bestToken, first);
    barrier();
    key = bestKey;
    token = bestToken;
    barrier();
}

// Key and token of the largest logit; each group's maximum is left among the candidates.
void findLargest(out uint key, out uint token)
{
    key = 0;
    token = NONE;
    for (uint group = gl_LocalInvocationID.x; group < min(GROUPS, vocabulary); group += THREADS)
    {
        uint groupKey = 0;
        for (uint first = group; first < vocabulary; first += GROUPS * AT_ONCE)
        {
            float l[AT_ONCE];
            load(first, GROUPS, l);
            [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            {
                const uint i = first + e * GROUPS;
                const uint k = i < vocabulary ? orderedKey(l[e]) : 0;
                groupKey = max(groupKey, k);
                if (k > key || k == key && i < token)
                {
                    key = k;
                    token = i;
                }
            }
        }
        candidateLogits[group] = ofKey(groupKey);
    }
    reduceLargest(key, token);
}

// A token's weight in the search for a threshold: 1 to count, or its probability · 2³⁰.
uint tokenWeight(float logit, bool byProbability, float largest, float total)
{
    return byProbability ? uint(exp(logit - largest) / total * 1073741824.0 + 0.5) : 1u;
}

// The highest bin that, with all above it, weighs at least `target` into `chosen`, NONE where they weigh less altogether;
// what is missing of the target above it into `remaining`. By the first subgroup: a lane adds up bins that lie together.
void chooseBin(uint target)
{
    if (gl_SubgroupID != 0)
        return;
    // Counted, since some drivers run fewer lanes than gl_SubgroupSize says.
    const uint length = BINS / subgroupAdd(1u);
    const uint top = BINS - 1 - subgroupExclusiveAdd(1u) * length;
    uint sum = 0;
    for (uint i = 0; i < length; i++)
        sum += bins[top - i];
    uint above = subgroupExclusiveAdd(sum);
    uint found = 0;
    if (above < target && above + sum >= target)
    {
        uint bin = top;
        for (; above + bins[bin] < target; bin--)
            above += bins[bin];
        found = bin + 1;
        remaining = target - above;
    }
    found = subgroupMax(found);
    if (subgroupElect())
        chosen = found - 1;
}

// The largest key t ≥ floorKey whose tokens {key ≥ t} weigh at least `target`, by radix search from the top
// byte down; floorKey if they weigh less altogether.
uint thresholdKey(uint target, uint floorKey, bool byProbability, float largest, float total)
{
    uint prefix = 0;
    [[dont_unroll]] for (uint shift = 24; ; shift -= 8)
    {
        for (uint bin = gl_LocalInvocationID.x; bin < BINS; bin += THREADS)
            bins[bin] = 0;
        barrier();
        for (uint first = gl_LocalInvocationID.x; first < items; first += THREADS * AT_ONCE)
        {
            float l[AT_ONCE];
            load(first, THREADS, l);
            [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            {
                const uint key = orderedKey(l[e]);
                const bool inside = shift == 24 || key >> (shift + 8) == prefix;
                if (first + e * THREADS < items && inside && key >= floorKey)
                    atomicAdd(bins[(key >> shift) & 255u], tokenWeight(l[e], byProbability, largest, total));
            }
        }
        barrier();
        chooseBin(target);
        barrier();
        if (chosen == NONE)
            return floorKey;
        prefix = prefix << 8 | chosen;
        target = remaining;
        if (shift == 0)
            return max(prefix, floorKey);
        barrier();
    }
}

// Makes the tokens of {key ≥ bound} the items, in the order of their numbers, so that sums over them are always taken in the
// same order; leaves all logits where they are too many.
void collectCandidates(uint bound)
{
    const uint thread = gl_LocalInvocationID.x;
    few = false;
    items = vocabulary;
    barrier();
    if (thread == 0)
        listedCount = 0;
    barrier();
    for (uint first = thread; first < vocabulary; first += THREADS * AT_ONCE)
    {
        float l[AT_ONCE];
        load(first, THREADS, l);
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            if (first + e * THREADS < vocabulary && orderedKey(l[e]) >= bound)
            {
                const uint at = atomicAdd(listedCount, 1);
                if (at < GROUPS)
                    listed[at] = first + e * THREADS;
            }
    }
    barrier();
    if (listedCount > GROUPS)
        return;
    for (uint i = thread; i < listedCount; i += THREADS)
    {
        uint rank = 0;
        for (uint other = 0; other < listedCount; other++)
            rank += listed[other] < listed[i] ? 1 : 0;
        candidateTokens[rank] = listed[i];
        candidateLogits[rank] = logits.at[row + listed[i]];
    }
    barrier();
    few = true;
    items = listedCount;
}

// Σ exp(l − largest) of what is not below a key.
float totalWeight(uint floorKey, float largest)
{
    float total = 0.0;
    for (uint first = gl_LocalInvocationID.x; first < items; first += THREADS * AT_ONCE)
    {
        float l[AT_ONCE];
        load(first, THREADS, l);
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            if (first + e * THREADS < items && orderedKey(l[e]) >= floorKey)
                total += exp(l[e] - largest);
    }
    return workgroupSum(total);
}

// Philox 2×32-10 (Salmon et al., SC 2011): a random word from a counter and a key.
uint philox(uvec2 counter, uint key)
{
    for (uint round_ = 0; round_ < 10; round_++)
    {
        uint high, low;
        umulExtended(counter.x, 0xD256D193u, high, low);
        counter = uvec2(high ^ key ^ counter.y, low);
        key += 0x9E3779B9u;
    }
    return counter.x;
}

// −ln(−ln u) for u = 1 − v uniform in (0, 1); −ln(1 − v) by its series where v is small, since those draws win.
float gumbel(uint random)
{
    const float v = (float(random >> 9) + 0.5) * 1.1920928955078125e-7;
    const float e = v < 0.02 ? v * (1.0 + v * (0.5 + v * (1.0 / 3.0 + v * 0.25))) : -log(1.0 - v);
    return -log(e);
}

// argmax of l / T + G over what is not below a key.
uint draw(Sampler options, uint consumed, uint floorKey, float largest)
{
    uint best = 0;
    uint token = NONE;
    const uint key = options.seedHigh ^ philox(uvec2(consumed, options.seedHigh), options.seedLow);
    for (uint item = gl_LocalInvocationID.x; item < items; item += THREADS)
    {
        const float l = logitOf(item);
        if (orderedKey(l) < floorKey)
            continue;
        const uint i = tokenOf(item);
        const uint score = orderedKey((l - largest) / options.temperature + gumbel(philox(uvec2(i, consumed), key)));
        if (score > best)
        {
            best = score;
            token = i;
        }
    }
    reduceLargest(best, token);
    return token;
}

uint nextToken(Sampler options, uint consumed)
{
    uint largestKey, token;
    findLargest(largestKey, token);
    if (largestKey > LARGEST_KEY || largestKey < SMALLEST_KEY)
        return NONE;
    // Differences from +∞ would be no numbers.
    if (options.temperature == 0.0 || largestKey == LARGEST_KEY)
        return token;
    const float largest = ofKey(largestKey);
    uint floorKey = 0;
    // One place for all searches: drivers put a function's body wherever it is called.
    [[dont_unroll]] for (uint search = SEARCH_GROUPS; search <= SEARCH_TOP_P; search++)
    {
        const bool isTopP = search == SEARCH_TOP_P;
        if (isTopP ? options.topP == 1.0 : options.topK == 0 || options.topK >= vocabulary)
            continue;
        if (search == SEARCH_GROUPS && options.topK > GROUPS / 2)
            continue;
        few = few || search == SEARCH_GROUPS;
        items = search == SEARCH_GROUPS ? min(GROUPS, vocabulary) : items;
        const float total = isTopP ? totalWeight(floorKey, largest) : 1.0;
        const uint target = isTopP ? max(uint(options.topP * 1073741824.0), 1u) : options.topK;
        const uint key = thresholdKey(target, floorKey, isTopP, largest, total);
        if (search == SEARCH_GROUPS)
            collectCandidates(key);
        else
            floorKey = key;
    }
    floorKey = max(floorKey, max(orderedKey(largest + options.logMinP), 1u));
    const uint drawn = draw(options, consumed, floorKey, largest);
    return drawn < vocabulary ? drawn : token;
}

void main()
{
    const uint sequence = gl_WorkGroupID.x;
    const uint left = stepsLeft.at[sequence];
    if (left == 0)
        return;
    const uint consumed = positions.at[sequence];
    const Sampler options = samplers.at[sequence];
    row = sequence * vocabulary;
    items = vocabulary;
    if (options.repeatPenalty != 1.0)
        penalizeRepetition(sequence, consumed, options.repeatWindow, options.repeatPenalty);
    const uint token = nextToken(options, consumed);
    if (gl_LocalInvocationID.x == 0)
    {
        bool ends = token == NONE;
        for (uint i = 0; i < MOST_ENDS; i++)
            ends = ends || options.ends[i] == token;
        tokens.at[sequence * (logMask + 1) + (consumed & logMask)] = token;
        stepsLeft.at[sequence] = ends ? 0 : left - 1;
    }
}
