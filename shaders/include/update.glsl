// What updates of weights share: settings that change from step to step and the gradients' factor (training/clip.comp), both in memory, since a step is
// recorded once; a workgroup takes PIECE values.

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint PIECE = 4096;
layout(constant_id = 2) const bool DECAYS = true; // whether weight decay applies

uint firstOwn()
{
    return gl_WorkGroupID.x * PIECE + gl_LocalInvocationID.x;
}

uint endOwn(uint count)
{
    return min(count, (gl_WorkGroupID.x + 1) * PIECE);
}
