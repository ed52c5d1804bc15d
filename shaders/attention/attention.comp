#version 460
// Attention of one token of each sequence with a cache of keys and values, what `retnet bench --paper` compares retention with:
//
//   q̂ = R(nθ)·q/√dk,  k̂ = R(nθ)·k          rotation of interleaved pairs at position n
//   K[n] ← k̂,  V[n] ← v                     in f16, for the tokens that follow
//   o = Σ_j p_j·V[j] / Σ_j p_j,  p_j = exp(q̂·K[j] − m),  m = max_j q̂·K[j],  j = 0..n
//
// A workgroup owns a head of a sequence and a share of the positions before n; the first one has n as well. Lanes of a group hold
// eight columns each, a quad of 16 bytes; a group takes every GROUPS-th position and keeps m, Σp and Σp·V of its own
// (Milakov and Gimelshein, arXiv 1805.02867), so that one barrier a round is enough. Where a head has several workgroups,
// attention_combine.comp adds their shares up (flash-decoding: Dao et al., 2023). A sequence without steps left is skipped.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "buffers.glsl"
#include "rotation.glsl"

layout(local_size_x_id = 0) in; // whole groups
layout(constant_id = 1) const uint HEAD_SIZE = 128; // a multiple of 32

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Cache { uvec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) buffer Sums { vec2 at[]; };

layout(push_constant, std430) uniform Arguments
{
    Floats projections; // [sequences][stride]: q, k, v, [heads][HEAD_SIZE] each
    Cache keys;         // f16 [sequences][heads][capacity][HEAD_SIZE], rotated
    Cache values;       // likewise
    Phases angles;      // [HEAD_SIZE / 2]
    Words positions;    // [sequences], tokens consumed, this one included: n + 1
    Words stepsLeft;    // [sequences]
    Vectors partials;   // [sequences][heads][workgroups][HEAD_SIZE], Σp·V; of several workgroups a head
    Sums sums;          // [sequences][heads][workgroups], (m, Σp); likewise
    Vectors y;          // [sequences][outputStride], o [heads][HEAD_SIZE] of each used; of one workgroup a head
    uint stride;
    uint outputStride;
    uint capacity;      // positions
    float scale;        // 1/√dk
};

const uint THREADS = gl_WorkGroupSize.x;
const uint RUN = 8; // values of a quad
const uint LANES = HEAD_SIZE / RUN;
const uint GROUPS = THREADS / LANES;
const uint AT_ONCE = 4;       // positions of a group whose loads are in flight together
const float NONE = -1e30;     // m of no position: finite, so that differences are

struct Run { vec4 low, high; };

shared vec4 products[2 * AT_ONCE * THREADS / 4]; // two rounds, so that a round need not wait for the readers of the one before
shared vec4 groupOutputs[2 * THREADS];
shared vec2 groupSums[THREADS];

Run unpacked(uvec4 quad)
{
    return Run(vec4(unpackHalf2x16(quad.x), unpackHalf2x16(quad.y)), vec4(unpackHalf2x16(quad.z), unpackHalf2x16(quad.w)));
}

uvec4 packed(Run run)
{
    return uvec4(packHalf2x16(run.low.xy), packHalf2x16(run.low.zw), packHalf2x16(run.high.xy), packHalf2x16(run.high.zw));
}

// This lane's columns of a projection: 0 of the query, 1 of the key, 2 of the value.
Run projected(uint which)
{
    const uint lane = gl_LocalInvocationID.x % LANES;
    const uint at = gl_WorkGroupID.z * stride + (which * gl_NumWorkGroups.y + gl_WorkGroupID.y) * HEAD_SIZE + lane * RUN;
    Run run;
    [[unroll]] for (uint e = 0; e < 4; e++)
    {
        run.low[e] = projections.at[at + e];
        run.high[e] = projections.at[at + 4 + e];
    }
    return run;
}

Run rotated(Run run, uint n)
{
    const uint pair = gl_LocalInvocationID.x % LANES * (RUN / 2);
    return Run(
        vec4(rotate(run.low.xy, rotation(angles.at[pair], n)), rotate(run.low.zw, rotation(angles.at[pair + 1], n))),
        vec4(rotate(run.high.xy, rotation(angles.at[pair + 2], n)), rotate(run.high.zw, rotation(angles.at[pair + 3], n))));
}

// Leaves this lane's part of q̂·k where the group finds it after a barrier.
void multiply(Run query, Run key, uint slot)
{
    const uint at = slot * THREADS + gl_LocalInvocationID.x;
    products[at / 4][at % 4] = dot(query.low, key.low) + dot(query.high, key.high);
}

// q̂·k of the group.
float score(uint slot)
{
    const uint first = (slot * THREADS + gl_LocalInvocationID.x / LANES * LANES) / 4;
    vec4 sum = vec4(0.0);
    [[unroll]] for (uint i = 0; i < LANES / 4; i++)
        sum += products[first + i];
    return (sum.x + sum.y) + (sum.z + sum.w);
}

// What the groups found, and where it goes: by the first group.
void writeOutput()
{
    const uint head = gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y;
    const uint lane = gl_LocalInvocationID.x;
    float largest = NONE;
    for (uint group = 0; group < GROUPS; group++)
        largest = max(largest, groupSums[group].x);
    float sum = 0.0;
    Run o = Run(vec4(0.0), vec4(0.0));
    for (uint group = 0; group < GROUPS; group++)
    {
        const float factor = exp(groupSums[group].x - largest);
        sum += factor * groupSums[group].y;
        o.low += factor * groupOutputs[2 * (group * LANES + lane)];
        o.high += factor * groupOutputs[2 * (group * LANES + lane) + 1];
    }

    if (gl_NumWorkGroups.x == 1)
    {
        const uint at = (gl_WorkGroupID.z * outputStride + gl_WorkGroupID.y * HEAD_SIZE) / 4 + 2 * lane;
        y.at[at] = o.low / sum;
        y.at[at + 1] = o.high / sum;
        return;
    }
    const uint share = head * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    partials.at[2 * (share * LANES + lane)] = o.low;
    partials.at[2 * (share * LANES + lane) + 1] = o.high;
    if (lane == 0)
        sums.at[share] = vec2(largest, sum);
}

void main()
{
    const uint sequence = gl_WorkGroupID.z;
    if (stepsLeft.at[sequence] == 0)
        return;
    const uint lane = gl_LocalInvocationID.x % LANES;
    const uint group = gl_LocalInvocationID.x / LANES;
    const uint row = (sequence * gl_NumWorkGroups.y + gl_WorkGroupID.y) * capacity;
    const uint n = positions.at[sequence] - 1;
    Run query = rotated(projected(0), n);
    query = Run(query.low * scale, query.high * scale);

    float largest = NONE;
    float sum = 0.0;
    Run o = Run(vec4(0.0), vec4(0.0));
    if (gl_WorkGroupID.x == 0)
    {
        const Run key = rotated(projected(1), n);
        const Run value = projected(2);
        multiply(query, key, 0);
        barrier();
        if (group == 0)
        {
            keys.at[(row + n) * LANES + lane] = packed(key);
            values.at[(row + n) * LANES + lane] = packed(value);
            largest = score(0);
            sum = 1.0;
            o = value;
        }
    }

    const uint share = (n + gl_NumWorkGroups.x - 1) / gl_NumWorkGroups.x;
    const uint end = min((gl_WorkGroupID.x + 1) * share, n);
    uint round = 1;
    for (uint first = gl_WorkGroupID.x * share; first < end; first += AT_ONCE * GROUPS)
    {
        const uint slot = round++ % 2 * AT_ONCE;
        uvec4 key[AT_ONCE], value[AT_ONCE];
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            key[e] = keys.at[(row + min(first + e * GROUPS + group, end - 1)) * LANES + lane];
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            value[e] = values.at[(row + min(first + e * GROUPS + group, end - 1)) * LANES + lane];
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
            multiply(query, unpacked(key[e]), slot + e);
        barrier();

        float scores[AT_ONCE];
        float top = largest;
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
        {
            scores[e] = first + e * GROUPS + group < end ? score(slot + e) : 2.0 * NONE;
            top = max(top, scores[e]);
        }
        const float fade = exp(largest - top);
        largest = top;
        sum *= fade;
        o = Run(o.low * fade, o.high * fade);
        [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
        {
            const Run v = unpacked(value[e]);
            const float p = exp(scores[e] - top);
            sum += p;
            o = Run(fma(vec4(p), v.low, o.low), fma(vec4(p), v.high, o.high));
        }
    }

    groupOutputs[2 * gl_LocalInvocationID.x] = o.low;
    groupOutputs[2 * gl_LocalInvocationID.x + 1] = o.high;
    if (lane == 0)
        groupSums[group] = vec2(largest, sum);
    barrier();
    if (group == 0)
        writeOutput();
}
