using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// A libvirt domain. libvirt keeps the channels of its domains open: commands go through libvirt's own library to wherever its
/// URI leads, and libvirt synchronises.
/// </summary>
public sealed class LibvirtEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new(
        "libvirt", "libvirt:domain or libvirt+URI?domain=name, as in libvirt+qemu+ssh://host/system?domain=name", Parse, TakesUri: true);

    private const string DomainOption = "domain=";

    private readonly ILibvirt? _library;

    /// <summary>Creates an endpoint for a domain.</summary>
    /// <param name="domain">The domain's name.</param>
    /// <param name="uri">The hypervisor's URI (qemu:///system, qemu+ssh://host/system); null for libvirt's default.</param>
    /// <exception cref="FormatException">There is no name, or no URI.</exception>
    public LibvirtEndpoint(string domain, string? uri = null)
        : this(domain, uri, Library)
    {
    }

    internal LibvirtEndpoint(string domain, string? uri, ILibvirt? library)
    {
        if (domain.Length == 0)
        {
            throw new FormatException("it has no domain");
        }

        if (domain.Contains('\0') || domain.Contains('/'))
        {
            throw new FormatException("its domain name contains a slash or a NUL character");
        }

        if (uri is not null && (!uri.Contains("://") || uri.Contains('\0') || uri.Contains('#')))
        {
            throw new FormatException($"'{uri}' is not a libvirt URI");
        }

        Domain = domain;
        HypervisorUri = uri;
        _library = library;
    }

    /// <summary>The domain's name.</summary>
    public string Domain { get; }

    /// <summary>The hypervisor's URI, or null for libvirt's default.</summary>
    public string? HypervisorUri { get; }

    /// <inheritdoc/>
    public override string? HostName =>
        Uri.TryCreate(HypervisorUri, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.Host.Trim('[', ']') : null;

    /// <inheritdoc/>
    internal override bool BoundsReplies => true;

    internal override IReadOnlyDictionary<string, ErrorDefinition> TransportErrors => LibvirtStream.Errors;

    /// <summary>libvirt's own library; null if this runtime cannot call it.</summary>
#if NET
    internal static ILibvirt? Library { get; } = new LibvirtLibrary();
#else
    internal static ILibvirt? Library => null;
#endif

    /// <inheritdoc/>
    public override async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        // libvirt's connect cannot be cancelled: an abandoned connection is closed once it exists.
        var opening = Task.Run<Stream>(() => Open(cancellationToken), cancellationToken);
        try
        {
            return await opening.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _ = opening.ContinueWith(
                static late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => TextOf(Domain, HypervisorUri);

    /// <summary>The text of an endpoint, whether it is valid or not.</summary>
    internal static string TextOf(string domain, string? uri) =>
        uri is null ? $"{Kind.Scheme}:{domain}" : $"{Kind.Scheme}+{uri}{(uri.Contains('?') ? '&' : '?')}{DomainOption}{Uri.EscapeDataString(domain)}";

    private static LibvirtEndpoint Parse(string rest)
    {
        if (rest.Length == 0 || rest[0] != '+')
        {
            return new LibvirtEndpoint(rest);
        }

        var parts = rest.Substring(1).Split(['?'], 2);
        var options = parts.Length == 2 ? parts[1].Split('&') : [];
        var domain = options.FirstOrDefault(IsDomain) ?? throw new FormatException($"it has no '?{DomainOption}…'");
        var others = string.Join("&", options.Where(option => !IsDomain(option)));
        return new LibvirtEndpoint(
            Uri.UnescapeDataString(domain.Substring(DomainOption.Length)), others.Length > 0 ? $"{parts[0]}?{others}" : parts[0]);
    }

    private static bool IsDomain(string option) => option.StartsWith(DomainOption, StringComparison.Ordinal);

    private LibvirtStream Open(CancellationToken cancellationToken)
    {
        if (_library is null)
        {
            return OpenByVirsh(cancellationToken) ?? throw ErrorCatalogue.EndpointNotSupported.With(this, "Windows PowerShell cannot call libvirt's library");
        }

        try
        {
            return Open(_library, HypervisorUri);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return OpenByVirsh(cancellationToken) ?? throw ErrorCatalogue.EndpointNotSupported.Because(
                e, this, "libvirt's library is not installed (Debian: libvirt0, Fedora: libvirt-libs, macOS: brew install libvirt)");
        }
    }

    // By the virsh of the host that the URI leads to; null where it leads to none.
    private LibvirtStream? OpenByVirsh(CancellationToken cancellationToken)
    {
        try
        {
            return LibvirtSshUri.Parse(HypervisorUri) is { } uri
                ? Open(new VirshLibvirt(arguments => SshConnection.StartVirsh(uri.Host, this, arguments, cancellationToken)), uri.LocalUri)
                : null;
        }
        catch (FormatException e)
        {
            throw ErrorCatalogue.EndpointNotSupported.Because(e, this, e.Message);
        }
    }

    private LibvirtStream Open(ILibvirt libvirt, string? uri)
    {
        try
        {
            // The domain keeps its connection.
            using var connection = libvirt.Connect(uri, readOnly: false);
            var domain = connection.FindDomain(Domain);
            if (domain.IsActive)
            {
                return new LibvirtStream(domain);
            }

            domain.Dispose();
            throw ErrorCatalogue.EndpointRefused.With(this);
        }
        catch (LibvirtException e)
        {
            throw Explain(e);
        }
    }

    private GuestAgentException Explain(LibvirtException e)
    {
        const int accessDenied = 13;
        return e.Code switch
        {
            LibvirtError.NoDomain => ErrorCatalogue.EndpointNotFound.Because(e, this),
            LibvirtError.OperationDenied or LibvirtError.AccessDenied or LibvirtError.AuthenticationFailed
                or LibvirtError.AuthenticationCancelled or LibvirtError.AuthenticationUnavailable => Denied(e),
            LibvirtError.System when e.SystemError == accessDenied => Denied(e),
            _ => ErrorCatalogue.LibvirtUnreachable.Because(e, this, e.Message),
        };
    }

    private GuestAgentException Denied(LibvirtException e) => ErrorCatalogue.EndpointAccessDenied.Because(
        e, this, e.Message, "join the group libvirt, or on systems without it allow org.libvirt.unix.manage in a polkit rule");
}
