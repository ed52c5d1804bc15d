#version 460
// Gradient of the token embedding: dE[token] += scale · Σ dx_n over the rows n that are that token. The host sorts rows by token (EmbeddingGradient.cs), so that
// a token's rows are summed by one thread a column, always in the same order. A workgroup a distinct token and some of its columns.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant, std430) uniform Arguments
{
    Floats gradient; // dE [vocabulary][stride]
    Floats dx;       // [rows][dxStride]
    Words entries;   // [distinct][3]: token, its first row in `order`, how many it has; 0 for none
    Words order;     // [rows]
    uint columns;
    uint stride;
    uint dxStride;
    float scale;
};

void main()
{
    const uint token = entries.at[3 * gl_WorkGroupID.x];
    const uint first = entries.at[3 * gl_WorkGroupID.x + 1];
    const uint count = entries.at[3 * gl_WorkGroupID.x + 2];
    if (count == 0)
        return;
    for (uint column = gl_WorkGroupID.y * gl_WorkGroupSize.x + gl_LocalInvocationID.x; column < columns; column += gl_NumWorkGroups.y * gl_WorkGroupSize.x)
    {
        float sum = 0.0;
        for (uint i = 0; i < count; i++)
            sum += dx.at[order.at[first + i] * dxStride + column];
        const uint at = token * stride + column;
        gradient.at[at] = fma(scale, sum, gradient.at[at]);
    }
}
