// Kernels of a chain run one after the other without barriers between their dispatches, so that each asks for its weights or its
// state while the one before still works. What they hand on says by itself whether it is there: every float of it is MISSING,
// a NaN that no arithmetic gives, until it has been written. A kernel reads its input again and again until all of it is there.
//
// A workgroup that waits keeps its place on the device; the ones that it waits for must have theirs already. So a device has to
// start workgroups in the order of their dispatches, which it is tried for before chains are used on it (docs/kernels.md, Chains).
// On one that does not, kernels go on after MOST_POLLS with what is MISSING: the logits are then no numbers, which the host refuses.

#extension GL_EXT_buffer_reference : require
#extension GL_KHR_shader_subgroup_vote : require

const uint MISSING = 0xFFEDCBA9u;

// Far more than anything takes that ends at all.
const uint MOST_POLLS = 1u << 16;

layout(buffer_reference, std430, buffer_reference_align = 4) coherent volatile buffer ChainedFloats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) coherent volatile buffer ChainedVectors { vec4 at[]; };

bool isMissing(float value)
{
    return floatBitsToUint(value) == MISSING;
}

bool isMissing(vec4 value)
{
    return any(equal(floatBitsToUint(value), uvec4(MISSING)));
}

// Whether any lane of the subgroup waits: where lanes poll together, since what follows needs all of them.
bool anyWaits(bool missing)
{
    return subgroupAny(missing);
}
