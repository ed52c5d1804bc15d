// Views of device memory by address. Every kernel's arguments are one push-constant block of such
// addresses and a few numbers, at most 128 bytes; C# mirrors the block (src/RetNet.Vulkan/Execution/*Arguments.cs).

#extension GL_EXT_buffer_reference : require

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Vectors { vec4 at[]; };
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

layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Pairs { vec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Phases { uvec2 at[]; };
