#version 460
// Fills a matrix, or any array, with random words: word i is
//
//   hash(i ^ seed) & mask | pattern
//
// so that every format comes out of integers alone, the same on every device. With random sign and mantissa and the
// pattern's exponent, floats are ±2^e·[1, 2); quants are random in all their bits. What pads a row is zero.
//
// The hash is PCG's RXS-M-XS 32 (O'Neill 2014; Jarzynski and Olano, JCGT 2020).

#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;

#include "buffers.glsl"

layout(push_constant, std430) uniform Arguments
{
    Words words;     // [count]: rows of parts, interleaved (weights.glsl)
    uint count;
    uint rowParts;   // parts of a row, padding included
    uint rowHalves;  // 16-bit halves of a row that are no padding
    uint partWords;  // words of a part: 4 of a quad, 1 of scales
    uint interleave; // rows whose parts lie in turn
    uint mask;
    uint pattern;
    uint seed;
};

uint hash(uint i)
{
    const uint state = i * 747796405u + 2891336453u;
    const uint word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737u;
    return (word >> 22) ^ word;
}

void main()
{
    const uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride)
    {
        const uint part = i / partWords / interleave % rowParts;
        const uint first = 2 * (part * partWords + i % partWords);
        const uint kept = first + 1 < rowHalves ? 0xFFFFFFFFu : first < rowHalves ? 0xFFFFu : 0;
        words.at[i] = (hash(i ^ seed) & mask | pattern) & kept;
    }
}
