"""The commands that make samples/encodings/: a line for each file, run in order by Bash in one folder.

A name in brackets is of a file that only later lines use; it isn't kept. `$MEDIA` is samples/media, `gst` is GStreamer
from a WAV file on, `edit` is `python -m samples.encoding_edits`. The sound is a second or two of the project's own
speech, or silence. What must be long is silence in huge blocks, or has its times shifted, so that the folder stays small.
"""

_SOURCES = """
[speech.wav] sox -D "$MEDIA/p-001/visit-0001.wav" speech.wav trim 0.2 1.5
[short.wav] sox -D speech.wav short.wav trim 0.1 0.7
[stereo.wav] sox -D -M speech.wav "|sox speech.wav -p reverse" -r 48000 stereo.wav
[low.wav] sox -D speech.wav -r 8000 low.wav
[surround.wav] sox -D -M short.wav short.wav short.wav short.wav short.wav short.wav surround.wav vol 0.02
[film.mp4] ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -c:v mpeg4 -q:v 31 film.mp4
[film.webm] ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -c:v libvpx -b:v 10k film.webm
[five-hours.flac] sox -D -n -r 16000 -b 16 -t raw - trim 0 5:00:00 | flac -s --lax -b 65535 \
--force-raw-format --channels=1 --bps=16 --sample-rate=16000 --sign=signed --endian=little --no-padding -o five-hours.flac -
[ten-seconds.mka] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a libopus -b:a 6k ten-seconds.mka
[five-hours.webm] ffmpeg -stream_loop 1799 -i ten-seconds.mka -c copy five-hours.webm
[five-hours.ogg] ffmpeg -stream_loop 1799 -i ten-seconds.mka -c copy five-hours.ogg
[ten-seconds.m4a] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a aac -b:a 8k ten-seconds.m4a
[five-hours.m4a] ffmpeg -stream_loop 1799 -i ten-seconds.m4a -c copy five-hours.m4a
[ten-seconds.mp3] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a libmp3lame -b:a 8k ten-seconds.mp3
[five-hours.mp3] ffmpeg -stream_loop 1799 -i ten-seconds.mp3 -c copy five-hours.mp3
"""

_WAV = """
normal.wav sox -D short.wav normal.wav
stereo-32k.wav sox -D stereo.wav -r 32000 stereo-32k.wav trim 0 0.6
24-bit-extensible.wav sox -D short.wav -b 24 24-bit-extensible.wav
float.wav sox -D short.wav -e floating-point -b 32 float.wav trim 0 0.55
8-bit-odd-size.wav sox -D short.wav -b 8 8-bit-odd-size.wav trim 0 11111s
a-law.wav sox -D short.wav -e a-law a-law.wav
mu-law.wav ffmpeg -i short.wav -c:a pcm_mulaw mu-law.wav
adpcm-ima.wav ffmpeg -i speech.wav -t 0.7 -ar 16000 -ac 1 -c:a adpcm_ima_wav adpcm-ima.wav
adpcm-ima-sox.wav sox -D short.wav -e ima-adpcm adpcm-ima-sox.wav
adpcm-ms.wav ffmpeg -i speech.wav -c:a adpcm_ms adpcm-ms.wav
adpcm-ms-sox-stereo.wav sox -D stereo.wav -r 22050 -e ms-adpcm adpcm-ms-sox-stereo.wav
adpcm-ms-piped.wav ffmpeg -i speech.wav -c:a adpcm_ms -f wav - | cat > adpcm-ms-piped.wav
adpcm-yamaha.wav ffmpeg -i speech.wav -c:a adpcm_yamaha adpcm-yamaha.wav
g722.wav ffmpeg -i speech.wav -c:a g722 g722.wav
g726-8k.wav ffmpeg -i low.wav -c:a g726 g726-8k.wav
gsm-8k.wav ffmpeg -i low.wav -c:a libgsm_ms gsm-8k.wav
gsm-16k.wav sox -D speech.wav -e gsm-full-rate gsm-16k.wav
mp3-within.wav ffmpeg -i speech.wav -c:a libmp3lame -b:a 32k mp3-within.wav
wma-within.wav ffmpeg -i stereo.wav -ar 44100 -c:a wmav2 -b:a 48k wma-within.wav
rf64.wav ffmpeg -i short.wav -rf64 always rf64.wav
broadcast.wav ffmpeg -i short.wav -write_bext 1 -metadata description=ward -write_peak on broadcast.wav
gstreamer.wav gst short.wav ! wavenc ! filesink location=gstreamer.wav
piped-ffmpeg.wav ffmpeg -i short.wav -f wav - | cat > piped-ffmpeg.wav
piped-sox.wav sox -D short.wav -t wav - | cat > piped-sox.wav
size-0.wav edit bytes 40 00000000 normal.wav size-0.wav
truncated.wav head -c 20001 normal.wav > truncated.wav
concatenated.wav cat normal.wav a-law.wav > concatenated.wav
8k.wav sox -D low.wav -b 8 8k.wav
96k.wav sox -D short.wav -r 96000 -e ima-adpcm 96k.wav
too-short.wav sox -D short.wav too-short.wav trim 0 0.3
six-channels.wav sox -D surround.wav -b 8 six-channels.wav
"""

_FLAC = """
normal.flac flac -s -8 -o normal.flac short.wav
stereo-44k-24-bit.flac sox -D stereo.wav -r 44100 -b 24 stereo-44k-24-bit.flac trim 0 0.6
ffmpeg.flac ffmpeg -i short.wav ffmpeg.flac
gstreamer.flac gst short.wav ! flacenc ! filesink location=gstreamer.flac
piped.flac flac -s -c - < short.wav | cat > piped.flac
piped-ffmpeg.flac ffmpeg -i short.wav -f flac - | cat > piped-ffmpeg.flac
tagged.flac flac -s --padding=70000 -T title=visit -S 10x -o tagged.flac short.wav
id3-before.flac edit id3 normal.flac id3-before.flac
hour-2-of-5.flac ffmpeg -i five-hours.flac -f segment -segment_time 3600 -c copy part%03d.flac; mv part001.flac hour-2-of-5.flac
end-of-5-hours.flac ffmpeg -ss 17990 -i five-hours.flac -c copy end-of-5-hours.flac
begin-of-5-hours.flac ffmpeg -i five-hours.flac -t 20 -c copy begin-of-5-hours.flac
truncated.flac head -c 20000 normal.flac > truncated.flac
concatenated.flac cat normal.flac ffmpeg.flac > concatenated.flac
8k.flac flac -s -o 8k.flac low.wav
six-channels.flac flac -s --channel-map=none -o six-channels.flac surround.wav
"""

_MP3 = """
cbr.mp3 lame --quiet -b 32 speech.wav cbr.mp3
cbr-without-xing.mp3 lame --quiet -t -b 32 speech.wav cbr-without-xing.mp3
vbr.mp3 lame --quiet -V 5 speech.wav vbr.mp3
vbr-without-xing.mp3 lame --quiet -V 5 -t speech.wav vbr-without-xing.mp3
abr.mp3 lame --quiet --abr 40 speech.wav abr.mp3
joint-stereo-44k.mp3 lame --quiet -V 6 --resample 44.1 stereo.wav joint-stereo-44k.mp3
stereo-48k.mp3 lame --quiet -m s -b 96 --resample 48 stereo.wav stereo-48k.mp3
32k.mp3 lame --quiet -b 40 --resample 32 speech.wav 32k.mp3
22k-mpeg-2.mp3 lame --quiet -b 32 --resample 22.05 speech.wav 22k-mpeg-2.mp3
24k-mpeg-2.mp3 lame --quiet -V 7 --resample 24 speech.wav 24k-mpeg-2.mp3
8k-mpeg-2.5.mp3 lame --quiet -b 8 --resample 8 speech.wav 8k-mpeg-2.5.mp3
11k-mpeg-2.5.mp3 lame --quiet -b 16 --resample 11.025 speech.wav 11k-mpeg-2.5.mp3
12k-mpeg-2.5.mp3 lame --quiet -V 6 --resample 12 speech.wav 12k-mpeg-2.5.mp3
crc.mp3 lame --quiet -p -b 32 speech.wav crc.mp3
tagged.mp3 lame --quiet -b 32 --add-id3v2 --pad-id3v2-size 70000 --tt visit speech.wav tagged.mp3
id3v1.mp3 lame --quiet -b 32 --id3v1-only --tt visit speech.wav id3v1.mp3
two-tags.mp3 edit id3 id3v1.mp3 two-tags.mp3
shine.mp3 ffmpeg -i stereo.wav -ar 44100 -c:a libshine -b:a 64k shine.mp3
gstreamer.mp3 gst speech.wav ! lamemp3enc target=bitrate bitrate=32 ! filesink location=gstreamer.mp3
piped.mp3 ffmpeg -i speech.wav -c:a libmp3lame -q:a 6 -f mp3 - | cat > piped.mp3
hour-2-of-5.mp3 ffmpeg -ss 3600 -t 10 -i five-hours.mp3 -c copy hour-2-of-5.mp3
end-of-5-hours.mp3 ffmpeg -i five-hours.mp3 -f segment -segment_times 18065 -c copy part%d.mp3; mv part1.mp3 end-of-5-hours.mp3
truncated.mp3 head -c 4000 vbr.mp3 > truncated.mp3
concatenated.mp3 cat vbr.mp3 cbr.mp3 > concatenated.mp3
cut-head-off.mp3 tail -c +700 cbr.mp3 > cut-head-off.mp3
"""

_MP4 = """
aac.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k aac.m4a
aac-faststart.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags +faststart aac-faststart.m4a
aac-stereo-48k.m4a ffmpeg -i stereo.wav -c:a aac -b:a 48k aac-stereo-48k.m4a
aac-44k.mp4 ffmpeg -i speech.wav -ar 44100 -c:a aac -b:a 32k aac-44k.mp4
aac-8k.m4a ffmpeg -i low.wav -c:a aac -b:a 16k aac-8k.m4a
aac-piped.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags empty_moov -f mp4 - | cat > aac-piped.mp4
fdk-lc.m4a fdkaac -S -p 2 -b 24000 -o fdk-lc.m4a speech.wav
fdk-iso-gapless.m4a fdkaac -S -p 2 -b 24000 -G 1 --moov-before-mdat -o fdk-iso-gapless.m4a speech.wav
he.m4a sox -D speech.wav -r 24000 he.wav; fdkaac -S -p 5 -b 24000 -o he.m4a he.wav
he-44k.m4a sox -D speech.wav -r 44100 he44.wav; fdkaac -S -p 5 -b 24000 -G 2 -o he-44k.m4a he44.wav
he-implicit.m4a fdkaac -S -p 5 -b 24000 -f 2 -o he.aac he.wav; ffmpeg -i he.aac -c copy he-implicit.m4a
he-explicit.m4a edit explicit-sbr he.m4a he-explicit.m4a
he-v2.m4a fdkaac -S -p 29 -b 24000 -o he-v2.m4a stereo.wav
he-v2-implicit.m4a fdkaac -S -p 29 -b 24000 -f 2 -o hev2.aac stereo.wav; ffmpeg -i hev2.aac -c copy he-v2-implicit.m4a
he-v2-explicit.m4a edit explicit-sbr he-v2.m4a he-v2-explicit.m4a
he-16k.m4a fdkaac -S -p 5 -b 16000 -o he-16k.m4a speech.wav
ld.m4a fdkaac -S -p 23 -b 32000 -o ld.m4a he.wav
eld.m4a sox -D speech.wav -r 48000 s48.wav; fdkaac -S -p 39 -b 48000 -o eld.m4a s48.wav
eld-16k.m4a fdkaac -S -p 39 -b 48000 -o eld-16k.m4a speech.wav
eld-sbr.m4a fdkaac -S -p 39 -L 1 -b 32000 -o eld-sbr.m4a stereo.wav
frequency-written-out.m4a edit explicit-frequency aac.m4a frequency-written-out.m4a
alac.m4a ffmpeg -i short.wav -c:a alac alac.m4a
flac.mp4 ffmpeg -i short.wav -c:a flac -strict -2 flac.mp4
opus.mp4 ffmpeg -i speech.wav -c:a libopus -b:a 16k opus.mp4
mp3.mp4 ffmpeg -i speech.wav -c:a libmp3lame -b:a 32k mp3.mp4
voaac-gstreamer.mp4 gst speech.wav ! voaacenc bitrate=24000 ! mp4mux ! filesink location=voaac-gstreamer.mp4
3gp4.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k -f 3gp 3gp4.m4a
3gp-gstreamer.m4a gst speech.wav ! voaacenc bitrate=24000 ! 3gppmux ! filesink location=3gp-gstreamer.m4a
samsung.m4a edit brands 3gp4 isom,3gp4 aac.m4a samsung.m4a
amr-nb-within.mp4 sox -D low.wav -C 7 amr-nb-within.amr-nb; \
ffmpeg -f amr -i amr-nb-within.amr-nb -c copy -f 3gp amr-nb-within.mp4
psp.mp4 ffmpeg -i film.mp4 -i stereo.wav -c:v copy -c:a aac -b:a 32k -f psp psp.mp4
film.mp4 ffmpeg -i film.mp4 -i speech.wav -c:v copy -c:a aac -b:a 24k film-with-sound.mp4; mv film-with-sound.mp4 film.mp4
two-tracks.m4a ffmpeg -i speech.wav -i stereo.wav -map 0 -map 1 -c:a aac -b:a 24k two-tracks.m4a
chapters.m4a printf ';FFMETADATA1\\n[CHAPTER]\\nTIMEBASE=1/1\\nSTART=0\\nEND=1\\ntitle=a\\n' > chapters.txt; \
ffmpeg -i speech.wav -i chapters.txt -map_metadata 1 -map_chapters 1 -c:a aac -b:a 24k chapters.m4a
delayed.m4a ffmpeg -itsoffset 5 -i speech.wav -c:a aac -b:a 24k delayed.m4a
end-of-5-hours.m4a ffmpeg -i five-hours.m4a -f segment -segment_times 18070 -c copy part%d.m4a; mv part1.m4a end-of-5-hours.m4a
hour-2-of-5.mp4 ffmpeg -ss 3600 -t 10 -i five-hours.m4a -c copy hour-2-of-5.mp4
end-after-offset.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -output_ts_offset 18000 end-after-offset.mp4
fragmented.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags frag_keyframe+empty_moov -frag_duration 400000 fragmented.mp4
fragmented-moov-with-sound.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags frag_custom \
-frag_duration 400000 fragmented-moov-with-sound.mp4
dash-global-sidx.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 \
-movflags dash+global_sidx+delay_moov+default_base_moof dash-global-sidx.mp4
dash-sidx-each.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -movflags dash+delay_moov dash-sidx-each.mp4
cmaf.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -movflags cmaf+delay_moov cmaf.mp4
dash-segments.mp4 ffmpeg -i stereo.wav -c:a aac -b:a 24k -seg_duration 0.7 -f dash d.mpd; \
cat init-stream0.m4s chunk-stream0-0000*.m4s > dash-segments.mp4
dash-second-segment.mp4 cat init-stream0.m4s chunk-stream0-00002.m4s > dash-second-segment.mp4
smooth-streaming.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -f ismv smooth-streaming.mp4
fragmented-after-offset.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -output_ts_offset 18000 \
-movflags frag_keyframe+empty_moov -frag_duration 400000 fragmented-after-offset.mp4
fragmented-gstreamer.mp4 gst speech.wav ! voaacenc bitrate=24000 ! mp4mux fragment-duration=400 ! \
filesink location=fragmented-gstreamer.mp4
fragmented-he.mp4 ffmpeg -i he.m4a -c copy -movflags frag_keyframe+empty_moov -frag_duration 400000 fragmented-he.mp4
truncated-fragments.mp4 head -c 4500 fragmented.mp4 > truncated-fragments.mp4
truncated-faststart.m4a head -c 3500 aac-faststart.m4a > truncated-faststart.m4a
truncated.m4a head -c 3000 aac.m4a > truncated.m4a
concatenated.m4a cat aac.m4a fdk-lc.m4a > concatenated.m4a
six-channels.m4a ffmpeg -i surround.wav -c:a aac -b:a 64k six-channels.m4a
"""

_OGG = """
opusenc.ogg opusenc --quiet --bitrate 16 speech.wav opusenc.ogg
opusenc-stereo.ogg opusenc --quiet --bitrate 24 --framesize 60 stereo.wav opusenc-stereo.ogg
opusenc-8k-input.ogg opusenc --quiet --bitrate 12 low.wav opusenc-8k-input.ogg
opus-ffmpeg.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k opus-ffmpeg.ogg
opus-gstreamer.ogg gst speech.wav ! opusenc bitrate=16000 ! oggmux ! filesink location=opus-gstreamer.ogg
opus-piped.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -f ogg - | cat > opus-piped.ogg
opus-small-pages.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -page_duration 20000 opus-small-pages.ogg
opus-six-channels.ogg opusenc --quiet --bitrate 160 surround.wav opus-six-channels.ogg
chained.ogg cat opusenc.ogg opus-ffmpeg.ogg > chained.ogg
chained-same-serial.ogg cat opus-ffmpeg.ogg opus-piped.ogg > chained-same-serial.ogg
chained-long-first.ogg ffmpeg -stream_loop 3 -i opusenc.ogg -c copy l.ogg; cat l.ogg opus-ffmpeg.ogg > chained-long-first.ogg
end-of-5-hours.ogg ffmpeg -i five-hours.ogg -f segment -segment_times 17990 -c copy part%d.ogg; mv part1.ogg end-of-5-hours.ogg
opus-after-offset.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 opus-after-offset.ogg
vorbis-after-offset.ogg ffmpeg -i speech.wav -c:a libvorbis -output_ts_offset 18000 vorbis-after-offset.ogg
opus-truncated.ogg head -c 2200 opus-small-pages.ogg > opus-truncated.ogg
opus-with-junk-behind.ogg cat opusenc.ogg short.wav > opus-with-junk-behind.ogg
vorbis.ogg oggenc -Q -q 0 speech.wav -o vorbis.ogg
vorbis-stereo-44k.ogg sox -D stereo.wav -r 44100 v44.wav; oggenc -Q -q 0 v44.wav -o vorbis-stereo-44k.ogg
vorbis-8k.ogg oggenc -Q -q 0 low.wav -o vorbis-8k.ogg
speex-narrow.ogg speexenc --quality 4 low.wav speex-narrow.ogg 2> /dev/null
speex-wide.ogg speexenc -w --vbr speech.wav speex-wide.ogg 2> /dev/null
speex-ultrawide.ogg sox -D speech.wav -r 32000 s32.wav; speexenc -u --nframes 3 s32.wav speex-ultrawide.ogg 2> /dev/null
flac.ogg flac -s --ogg -o flac.ogg short.wav
flac-ffmpeg.ogg ffmpeg -i short.wav -c:a flac flac-ffmpeg.ogg
film.ogg ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -i speech.wav -c:v libtheora -c:a libvorbis film.ogg
two-streams.ogg ffmpeg -i speech.wav -i stereo.wav -map 0 -map 1 -c:a libopus -b:a 16k two-streams.ogg
id3-before.ogg edit id3 opusenc.ogg id3-before.ogg
"""

_AMR = """
nb-4.75.amr sox -D low.wav -C 0 nb.amr-nb; mv nb.amr-nb nb-4.75.amr
nb-7.40.amr sox -D low.wav -C 4 nb.amr-nb; mv nb.amr-nb nb-7.40.amr
nb-12.2.amr sox -D low.wav -C 7 nb.amr-nb; mv nb.amr-nb nb-12.2.amr
wb-6.60.amr gst speech.wav ! voamrwbenc band-mode=0 ! filesink location=wb-0; \
(printf '#!AMR-WB\\n'; cat wb-0) > wb-6.60.amr
wb-15.85.amr gst speech.wav ! voamrwbenc band-mode=4 ! filesink location=wb-4; \
(printf '#!AMR-WB\\n'; cat wb-4) > wb-15.85.amr
wb-23.85.amr gst speech.wav ! voamrwbenc band-mode=8 ! filesink location=wb-8; \
(printf '#!AMR-WB\\n'; cat wb-8) > wb-23.85.amr
wb-changing-modes.amr (printf '#!AMR-WB\\n'; cat wb-8 wb-0 wb-4) > wb-changing-modes.amr
wb-truncated.amr head -c 1000 wb-15.85.amr > wb-truncated.amr
wb-too-short.amr head -c 500 wb-15.85.amr > wb-too-short.amr
wb-concatenated.amr cat wb-6.60.amr wb-6.60.amr > wb-concatenated.amr
"""

_WEBM = """
opus.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k opus.webm
opus-stereo.webm ffmpeg -i stereo.wav -c:a libopus -b:a 24k opus-stereo.webm
opus-cues-first.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -cues_to_front 1 opus-cues-first.webm
opus-small-clusters.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -cluster_time_limit 100 opus-small-clusters.webm
vorbis-44k.webm ffmpeg -i stereo.wav -ar 44100 -c:a libvorbis vorbis-44k.webm
vorbis-8k.webm ffmpeg -i low.wav -c:a libvorbis vorbis-8k.webm
mkvmerge.webm mkvmerge -q --webm -o mkvmerge.webm opusenc.ogg
mkvmerge-vorbis.webm mkvmerge -q --webm --disable-lacing -o mkvmerge-vorbis.webm vorbis.ogg
gstreamer.webm gst speech.wav ! opusenc bitrate=16000 ! webmmux ! filesink location=gstreamer.webm
gstreamer-live.webm gst speech.wav ! opusenc bitrate=16000 ! webmmux streamable=true ! filesink location=gstreamer-live.webm
live.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm -live 1 live.webm
live-piped.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm -live 1 - | cat > live-piped.webm
piped.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm - | cat > piped.webm
live-after-offset.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 -f webm -live 1 live-after-offset.webm
after-offset.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 after-offset.webm
end-of-5-hours.webm ffmpeg -i five-hours.webm -f segment -segment_times 17990 -c copy part%d.webm; mv part1.webm end-of-5-hours.webm
hour-2-of-5.webm ffmpeg -ss 3600 -t 10 -i five-hours.webm -c copy hour-2-of-5.webm
duration-in-seconds.webm edit webm-duration 1.5 opus.webm duration-in-seconds.webm
duration-in-microseconds.webm edit webm-duration 1500000 opus.webm duration-in-microseconds.webm
film.webm ffmpeg -i film.webm -i speech.wav -c:v copy -c:a libopus -b:a 16k film-with-sound.webm; mv film-with-sound.webm film.webm
dash.webm ffmpeg -i stereo.wav -c:a libopus -b:a 24k -dash 1 -f webm dash.webm
truncated.webm head -c 2500 opus.webm > truncated.webm
truncated-live.webm head -c 2500 live-piped.webm > truncated-live.webm
concatenated.webm cat opus.webm live.webm > concatenated.webm
six-channels.webm ffmpeg -i surround.wav -c:a libopus -mapping_family 1 -b:a 64k six-channels.webm
"""

# What Transcribe Medical doesn't take, so that nothing is known of it but that.
_OTHERS = """
adts.aac fdkaac -S -p 5 -b 24000 -f 2 -o adts.aac he.wav
matroska.mkv ffmpeg -i speech.wav -c:a libopus -b:a 16k matroska.mkv
quicktime.mov ffmpeg -i speech.wav -c:a aac -b:a 24k quicktime.mov
core-audio.caf ffmpeg -i speech.wav -c:a libopus -b:a 16k core-audio.caf
aiff.aiff sox -D short.wav -b 8 aiff.aiff
"""

COMMANDS = {
    name: command
    for block in (_SOURCES, _WAV, _FLAC, _MP3, _MP4, _OGG, _AMR, _WEBM, _OTHERS)
    for name, _, command in (line.partition(" ") for line in block.strip().splitlines())
}
