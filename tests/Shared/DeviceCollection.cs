namespace RetNet.Tests;

/// <summary>Test classes that use devices: they share them and run one after the other.</summary>
[CollectionDefinition(TestDevices.Collection)]
public sealed class DeviceCollection : ICollectionFixture<TestDevices>;
