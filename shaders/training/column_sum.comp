#version 460
// Sums of columns, a row of them for each block of rows: gradients of biases, and of other vectors from their partial sums.
//
//   y[block] (+)= Σ x[row]                                over the rows of the block
//
// In two stages, of which the first writes partial sums and the second adds them up as one block, it is the same in every run.
// A thread a column, a workgroup a block's tile of columns.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool ACCUMULATE = false;

layout(push_constant, std430) uniform Arguments
{
    Floats x; // [rows][stride]
    Floats y; // [blocks][columns]
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
        sum += x.at[row * stride + column];
    const uint at = gl_WorkGroupID.y * columns + column;
    y.at[at] = ACCUMULATE ? y.at[at] + sum : sum;
}
