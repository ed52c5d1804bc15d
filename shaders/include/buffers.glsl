// Views of device memory by address. Every kernel's arguments are one push-constant block of such
// addresses and a few numbers, at most 128 bytes; C# mirrors the block (src/RetNet.Vulkan/Execution/*Arguments.cs).

#extension GL_EXT_buffer_reference : require

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Vectors { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Quads { uvec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Pairs { vec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Phases { uvec2 at[]; };
