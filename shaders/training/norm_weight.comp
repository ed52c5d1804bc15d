#version 460
// Gradient of a norm with respect to its weight, a partial sum for each block of rows, which column_sum.comp adds up:
//
//   partial[block] = Σ dy · (x − μ) · r                  over the rows of the block
//
// A thread a column, a workgroup a block's tile of columns.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant, std430) uniform Arguments
{
    Floats x;       // [rows][stride]
    Floats dy;      // [rows][stride]
    Floats moments; // [rows][2], (μ, r) as norm_backward.comp left them
    Floats partial; // [blocks][columns]
    uint rows;
    uint columns;
    uint stride;
    uint blockRows;
};

void main()
{
    const uint column = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (column >= columns)
        return;
    const uint first = gl_WorkGroupID.y * blockRows;
    const uint end = min(first + blockRows, rows);
    float sum = 0.0;
    for (uint row = first; row < end; row++)
    {
        const uint at = row * stride + column;
        sum = fma(dy.at[at], (x.at[at] - moments.at[2 * row]) * moments.at[2 * row + 1], sum);
    }
    partial.at[gl_WorkGroupID.y * columns + column] = sum;
}
