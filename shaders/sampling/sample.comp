#version 460
// The next token from the logits: tokens[position] ← token. One workgroup of 256 threads.
//
//   l      ← l / r where l > 0, l · r where l ≤ 0, for tokens among the last `repeatWindow`  (repetition penalty)
//   C      = { i : l_i ≥ t },  t = max(top-k threshold, top-p threshold of the softmax over top-k, max + ln(min-p))
//   token  = argmax over C of l_i / T + G_i,  G_i = −ln(−ln u_i)                             (Gumbel maximum)
//
// The Gumbel maximum draws exactly from softmax(l / T) over C without sorting or a running sum. Filters act on
// the untempered distribution, the temperature afterwards (llama.cpp's order). u_i is a hash of (seed, position,
// i), so the same seed gives the same text; every other sum here is of integers or in a fixed order. T = 0 takes
// the largest logit, the lowest index among equals. Equal logits at a threshold are all kept.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

const uint THREADS = 256;
layout(local_size_x = THREADS) in;

layout(push_constant, std430) uniform Arguments
{
    Floats logits;  // [vocabulary]; the penalty is applied in place
    Words tokens;    // [logMask + 1], a ring of tokens
    Words position; // [1], tokens consumed so far
    uint vocabulary;
    uint logMask;
    float temperature;
    uint topK;      // 0: off
    float topP;     // 1: off
    float logMinP;  // −∞: off
    float repeatPenalty; // 1: off
    uint repeatWindow;
    uint seedLow;
    uint seedHigh;
};

shared float sums[THREADS];
shared uint indices[THREADS];
shared uint bins[THREADS];
shared uint chosen;
shared uint remaining;

// Floats in the order of unsigned integers.
uint orderedKey(float x)
{
    const uint bits = floatBitsToUint(x);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

void penalizeRepetition(uint consumed)
{
    const uint window = min(min(repeatWindow, consumed), logMask + 1);
    for (uint back = gl_LocalInvocationID.x; back < window; back += THREADS)
    {
        const uint token = tokens.at[(consumed - 1 - back) & logMask];
        bool later = false; // penalise each token once, at its latest place
        for (uint i = 0; i < back && !later; i++)
            later = tokens.at[(consumed - 1 - i) & logMask] == token;
        if (!later)
        {
            const float l = logits.at[token];
            logits.at[token] = l > 0.0 ? l / repeatPenalty : l * repeatPenalty;
        }
    }
    memoryBarrierBuffer();
    barrier();
}

// Largest of (value, −index) over the workgroup.
void reduceLargest(inout float value, inout uint index)
{
    const uint thread = gl_LocalInvocationID.x;
    sums[thread] = value;
    indices[thread] = index;
    barrier();
    for (uint width = THREADS / 2; width > 0; width /= 2)
    {
        if (thread < width)
        {
            const float other = sums[thread + width];
            const uint otherIndex = indices[thread + width];
            if (other > sums[thread] || (other == sums[thread] && otherIndex < indices[thread]))
            {
                sums[thread] = other;
                indices[thread] = otherIndex;
            }
        }
        barrier();
    }
    value = sums[0];
    index = indices[0];
    barrier();
}

float reduceSum(float value)
{
    const uint thread = gl_LocalInvocationID.x;
    sums[thread] = value;
    barrier();
    for (uint width = THREADS / 2; width > 0; width /= 2)
    {
        if (thread < width)
            sums[thread] += sums[thread + width];
        barrier();
    }
    value = sums[0];
    barrier();
    return value;
}

// A token's weight in the search for a threshold: 1 to count, or its probability · 2³⁰.
uint tokenWeight(float logit, bool byProbability, float largest, float total)
{
    return byProbability ? uint(exp(logit - largest) / total * 1073741824.0 + 0.5) : 1u;
}

// The largest key t ≥ floorKey whose tokens {key ≥ t} weigh at least `target`, by radix search from the top
// byte down; floorKey if they weigh less altogether.
uint thresholdKey(uint target, uint floorKey, bool byProbability, float largest, float total)
{
    const uint thread = gl_LocalInvocationID.x;
    uint prefix = 0;
    for (uint shift = 24; ; shift -= 8)
    {
        bins[thread] = 0;
        barrier();
        for (uint i = thread; i < vocabulary; i += THREADS)
        {
            const uint key = orderedKey(logits.at[i]);
            const bool inside = shift == 24 || key >> (shift + 8) == prefix;
            if (inside && key >= floorKey)
                atomicAdd(bins[(key >> shift) & 255u], tokenWeight(logits.at[i], byProbability, largest, total));
        }
        barrier();
        // bins ← weight of this bin and all above it
        for (uint step = 1; step < THREADS; step *= 2)
        {
            const uint above = thread + step < THREADS ? bins[thread + step] : 0;
            barrier();
            bins[thread] += above;
            barrier();
        }
        const uint above = thread + 1 < THREADS ? bins[thread + 1] : 0;
        if (thread == 0)
        {
            chosen = 0xFFFFFFFFu;
            remaining = target;
        }
        barrier();
        if (bins[thread] >= target && above < target)
        {
            chosen = thread;
            remaining = target - above;
        }
        barrier();
        if (chosen == 0xFFFFFFFFu)
            return floorKey;
        prefix = prefix << 8 | chosen;
        target = remaining;
        barrier();
        if (shift == 0)
            return max(prefix, floorKey);
    }
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

void main()
{
    const uint thread = gl_LocalInvocationID.x;
    const uint consumed = position.at[0];
    const float infinity = uintBitsToFloat(0x7F800000u);
    if (repeatPenalty != 1.0)
        penalizeRepetition(consumed);

    float largest = -infinity;
    uint token = 0xFFFFFFFFu;
    for (uint i = thread; i < vocabulary; i += THREADS)
        if (logits.at[i] > largest || token == 0xFFFFFFFFu)
        {
            largest = logits.at[i];
            token = i;
        }
    reduceLargest(largest, token);

    if (temperature > 0.0)
    {
        uint floorKey = max(orderedKey(largest + logMinP), 1u);
        uint keptKey = 0;
        if (topK > 0 && topK < vocabulary)
            keptKey = thresholdKey(topK, 0, false, 0.0, 1.0);
        if (topP < 1.0)
        {
            float total = 0.0;
            for (uint i = thread; i < vocabulary; i += THREADS)
                if (orderedKey(logits.at[i]) >= keptKey)
                    total += exp(logits.at[i] - largest);
            total = reduceSum(total);
            keptKey = thresholdKey(max(uint(topP * 1073741824.0), 1u), keptKey, true, largest, total);
        }
        floorKey = max(floorKey, keptKey);

        float best = -infinity;
        uint bestToken = token;
        const uint key = seedHigh ^ philox(uvec2(consumed, seedHigh), seedLow);
        for (uint i = thread; i < vocabulary; i += THREADS)
            if (orderedKey(logits.at[i]) >= floorKey)
            {
                const float score = (logits.at[i] - largest) / temperature + gumbel(philox(uvec2(i, consumed), key));
                if (score > best)
                {
                    best = score;
                    bestToken = i;
                }
            }
        reduceLargest(best, bestToken);
        token = bestToken;
    }
    if (thread == 0)
        tokens.at[consumed & logMask] = token;
}
