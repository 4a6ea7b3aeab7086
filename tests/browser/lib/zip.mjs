// A ZIP of one file under a password, as an archive program of the nineties makes it: what a person may hand in.

/** The CRC table of PKWARE's APPNOTE, section 4.4.7. */
const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

const step = (crc, byte) => (TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8)) >>> 0;

/** Traditional PKWARE encryption (APPNOTE 6.1): three keys that every plain byte turns further. */
class Keys {
  #keys = [0x12345678, 0x23456789, 0x34567890];

  constructor(password) {
    for (const byte of Buffer.from(password)) this.#turn(byte);
  }

  #turn(byte) {
    const keys = this.#keys;
    keys[0] = step(keys[0], byte);
    keys[1] = (Math.imul((keys[1] + (keys[0] & 0xff)) >>> 0, 134775813) + 1) >>> 0;
    keys[2] = step(keys[2], keys[1] >>> 24);
  }

  encrypt(byte) {
    const mask = (this.#keys[2] | 2) & 0xffff;
    const cipher = byte ^ ((Math.imul(mask, mask ^ 1) >>> 8) & 0xff);
    this.#turn(byte);
    return cipher;
  }
}

/** The bytes of an archive with the file `name` of `content` (a Buffer), stored and encrypted. */
export function lockedZip(name, content, password) {
  const crc = [...content].reduce(step, 0xffffffff) ^ 0xffffffff;
  const keys = new Keys(password);
  // Eleven bytes nobody reads, and the one that tells a wrong password: the checksum's highest.
  const head = [...Buffer.alloc(11), crc >>> 24];
  const data = Buffer.from([...head, ...content].map((byte) => keys.encrypt(byte)));
  const file = Buffer.from(name);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(1, 2);
  common.writeUInt32LE(crc >>> 0, 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(file.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, file, data]);
  const rest = Buffer.alloc(14);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, rest, file]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06", "latin1"), end]);
}
