// Views of device memory by address. Every kernel's arguments are one push-constant block of such
// addresses and a few numbers, at most 128 bytes; C# mirrors the block (src/RetNet.Vulkan/Execution/*Arguments.cs).

#ifndef BUFFERS_GLSL
#define BUFFERS_GLSL

#extension GL_EXT_buffer_reference : require

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Vectors { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Parameters { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Quads { uvec4 at[]; };

#ifdef LONG_LOADS
// Sixteen bytes as two words of 64 bits, for drivers that load and store word by word.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(buffer_reference, std430, buffer_reference_align = 16) buffer LongQuads { u64vec2 at[]; };

uvec4 loadQuad(LongQuads quads, uint i)
{
    const u64vec2 quad = quads.at[i];
    return uvec4(unpackUint2x32(quad.x), unpackUint2x32(quad.y));
}

vec4 loadVector(LongQuads vectors, uint i)
{
    return uintBitsToFloat(loadQuad(vectors, i));
}

// Eight bytes likewise.
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer LongWords { uint64_t at[]; };

uvec2 loadWords(LongWords words, uint i)
{
    return unpackUint2x32(words.at[i]);
}

vec2 loadPair(LongWords words, uint i)
{
    return uintBitsToFloat(loadWords(words, i));
}

void storeVector(LongQuads vectors, uint i, vec4 v)
{
    const uvec4 quad = floatBitsToUint(v);
    vectors.at[i] = u64vec2(packUint2x32(quad.xy), packUint2x32(quad.zw));
}
#endif

#ifdef HALF_FLOATS
// 16-bit floats, on devices that have them in buffers and in arithmetic.
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(buffer_reference, std430, buffer_reference_align = 2) buffer Halves { float16_t at[]; };

const float HALF_MAX = 65504.0;

// The nearest f16; what f16 does not hold becomes its largest.
float16_t toHalf(float v)
{
    return float16_t(clamp(v, -HALF_MAX, HALF_MAX));
}
#endif

layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Pairs { vec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Phases { uvec2 at[]; };
#endif
