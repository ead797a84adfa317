// SPDX-License-Identifier: Apache-2.0
/** Every number of the wire protocol, with its origin. Timing constants are options and live elsewhere. */

/** First byte of every subflow, both ways. Go: dialer.go, handshake. */
export const PROTOCOL_VERSION = 0
/** Connection ID, bytes. Go: uuid.UUID. */
export const CID_BYTES = 16
/** Version and CID, bytes. Go: leadBytesLength. */
export const HELLO_BYTES: number = 1 + CID_BYTES
/** Number of the first data frame in each direction. Go: minFrameNumber. */
export const FIRST_FRAME = 10
/** Largest payload of a data frame, bytes; one more and a Go receiver closes the subflow. Go: readLoopFrames. */
export const MAX_PAYLOAD_BYTES = 1_048_576
/** Frames that a Go receiver holds beyond the last one its application read. Go: recieveQueueLength. */
export const GO_RECEIVE_FRAMES = 4096

/** Codes in the place of an ack's frame number. Go knows 0 and 1 and ignores 2 to 9 silently. */
export const CODE_PING = 0
export const CODE_PONG = 1
/** Ours: "I know the codes below". Sent once on every subflow, right after the handshake. */
export const CODE_CAPABLE = 2
/** Ours: everything I wrote has been acked and no more will come. */
export const CODE_FIN = 3
/** Ours: my application reads too slowly, send no new data. */
export const CODE_HOLD = 4
/** Ours: go on after a hold. */
export const CODE_GO = 5
/** Ours: "I take extension frames". Sent on every subflow right before CODE_CAPABLE, so that this completes what we are. */
export const CODE_EXTENDS = 6

/** Number of the extension frames that we send. A receiver skips those with numbers that it does not know, up to 9. */
export const EXTENSION_FRAME = 2
/** Number of a frame that carries a datagram, and of the frame that acks one. */
export const DATAGRAM_FRAME = 3
export const DATAGRAM_ACK_FRAME = 4
/** Largest datagram. The largest of UDP has 65,507 bytes. */
export const MAX_DATAGRAM_BYTES = 65_536
/** Its frame: three varints are in front of it. */
export const MAX_DATAGRAM_FRAME_BYTES: number = MAX_DATAGRAM_BYTES + 3 * 8
/** Largest extension frame. The largest that we send names 4,096 frames in ranges of one: 8 KiB. */
export const MAX_EXTENSION_BYTES = 16_384
/** Fields of an extension frame, those that the receiver does not know included. */
export const MAX_EXTENSION_FIELDS = 64
