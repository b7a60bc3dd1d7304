using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series.Tests;

/// <summary>The power went off: not an error a program can see, so nothing but the tests may catch it.</summary>
internal sealed class PowerCutException : Exception;

/// <summary>
/// A disk on real files that can fail, and whose power can be cut. It keeps what was flushed apart from what was only written: after a cut each sector, length and name that was not flushed is the old
/// or the new one, as chance has it. Files of one folder; one caller at a time.
/// </summary>
internal sealed class LossyDisk : LogDisk
{
    private const int SectorBytes = 512;

    private readonly Random _random;
    private readonly Dictionary<SafeFileHandle, string> _open = [];
    private readonly Dictionary<string, DurableFile> _files = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _deleted = [];
    private bool _off;

    /// <summary>A disk on which a folder, if it is there, is as it will be after a power cut.</summary>
    public LossyDisk(string folder, Random random)
    {
        _random = random;
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            _files[path] = new DurableFile(File.ReadAllBytes(path));
            _names.Add(path);
        }
    }

    /// <summary>Operations until the power goes off; below zero for never.</summary>
    public int OperationsBeforeCut { get; set; } = -1;

    /// <summary>Operations that fail from now on.</summary>
    public int Failures { get; set; }

    public int Flushes { get; private set; }

    public override SafeFileHandle Open(string path, FileMode mode)
    {
        Step();
        var isNew = !File.Exists(path);
        var file = base.Open(path, mode);
        _open[file] = path;
        if (isNew)
        {
            _files[path] = new DurableFile([]);
            _deleted.Remove(path);
        }

        return file;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        var fails = Fails();
        var cut = Cuts();
        var written = fails || cut ? bytes[.._random.Next(bytes.Length + 1)] : bytes;
        if (!_off && written.Length > 0)
        {
            base.Write(file, written, offset);
            _files[_open[file]].Pending.Add((offset, written.ToArray()));
        }

        End(fails, cut);
    }

    public override void SetLength(SafeFileHandle file, long bytes)
    {
        var fails = Fails();
        var cut = Cuts();
        if (!_off && (!(fails || cut) || _random.Next(2) == 0))
        {
            base.SetLength(file, bytes);
            _files[_open[file]].Pending.Add((bytes, null));
        }

        End(fails, cut);
    }

    public override void Flush(SafeFileHandle file)
    {
        var fails = Fails();
        var cut = Cuts();
        if (!_off)
        {
            Flushes++;
            var durable = _files[_open[file]];
            if (fails || cut)
            {
                // Some of it may have arrived, and the rest may still arrive or never.
                durable.Scramble(_random, keepPending: true);
            }
            else
            {
                durable.Settle();
            }
        }

        End(fails, cut);
    }

    public override void Delete(string path)
    {
        var fails = Fails();
        var cut = Cuts();
        if (!_off && (!(fails || cut) || _random.Next(2) == 0) && File.Exists(path))
        {
            base.Delete(path);
            _deleted.Add(path);
        }

        End(fails, cut);
    }

    public override void FlushFolder(string folder)
    {
        var fails = Fails();
        var cut = Cuts();
        if (!_off && !(fails || cut))
        {
            foreach (var path in _deleted)
            {
                _names.Remove(path);
                _files.Remove(path);
            }

            _deleted.Clear();
            _names.UnionWith(_files.Keys);
        }

        End(fails, cut);
    }

    /// <summary>What the folder holds when the power is back, written into another folder.</summary>
    public void CutPower(string target)
    {
        _off = true;
        Directory.CreateDirectory(target);
        foreach (var (path, file) in _files)
        {
            var durableName = _names.Contains(path);
            var isThere = durableName ? !_deleted.Contains(path) || _random.Next(2) == 0 : _random.Next(2) == 0;
            if (isThere)
            {
                file.Scramble(_random, keepPending: false);
                File.WriteAllBytes(Path.Combine(target, Path.GetFileName(path)), file.Content);
            }
        }

        foreach (var handle in _open.Keys)
        {
            handle.Dispose();
        }
    }

    /// <summary>The process is killed in the middle of an operation: what it wrote is in the system's memory, flushed or not, for the next one to read.</summary>
    public void Kill()
    {
        foreach (var handle in _open.Keys)
        {
            handle.Dispose();
        }

        _open.Clear();
        _off = false;
    }

    private void Step()
    {
        var fails = Fails();
        End(fails, Cuts());
    }

    private bool Fails()
    {
        if (Failures > 0 && !_off)
        {
            Failures--;
            return true;
        }

        return false;
    }

    private bool Cuts() => !_off && OperationsBeforeCut >= 0 && OperationsBeforeCut-- == 0;

    private void End(bool fails, bool cut)
    {
        if (cut)
        {
            _off = true;
            throw new PowerCutException();
        }

        if (fails)
        {
            throw new IOException("No space left on device.");
        }
    }

    private sealed class DurableFile(byte[] content)
    {
        public byte[] Content { get; private set; } = content;

        /// <summary>What was done since the last flush: bytes at an offset, or (null) a new length.</summary>
        public List<(long At, byte[]? Bytes)> Pending { get; } = [];

        public void Settle()
        {
            foreach (var (at, bytes) in Pending)
            {
                Apply(at, bytes);
            }

            Pending.Clear();
        }

        /// <summary>Some of what was not flushed arrives: sectors in any order, lengths as they were at some moment.</summary>
        public void Scramble(Random random, bool keepPending)
        {
            foreach (var (at, bytes) in Pending)
            {
                if (bytes is null)
                {
                    if (random.Next(2) == 0)
                    {
                        Apply(at, null);
                    }

                    continue;
                }

                for (var from = 0; from < bytes.Length;)
                {
                    var length = Math.Min(bytes.Length - from, SectorBytes - (int)((at + from) % SectorBytes));
                    if (random.Next(2) == 0)
                    {
                        Apply(at + from, bytes[from..(from + length)]);
                    }

                    from += length;
                }
            }

            if (!keepPending)
            {
                Pending.Clear();
            }
        }

        private void Apply(long at, byte[]? bytes)
        {
            var content = Content;
            if (bytes is null)
            {
                Array.Resize(ref content, (int)at);
            }
            else
            {
                Array.Resize(ref content, (int)Math.Max(content.Length, at + bytes.Length));
                bytes.CopyTo(content, at);
            }

            Content = content;
        }
    }
}
