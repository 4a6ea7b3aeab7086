// Turns what people type into the canonical text of the API, without guessing: what is unclear stays as typed.

/** Full-width digits and signs, as Chinese input methods type them, to ASCII. */
const ascii = (text) => text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, " ");

export function tidy(kind, typed) {
  const text = ascii(typed).trim();
  switch (kind) {
    case "amount": return amount(text);
    case "date": return date(text);
    case "time": return time(text);
    case "currency": return text.toUpperCase();
    default: return typed.trim();
  }
}

function amount(text) {
  let bare = text.replace(/[\s'\u00a5$\u20ac\u00a3]/g, "").replace(/^\u2212/, "-");
  if (!/^-?[\d.,]+$/.test(bare)) return text;
  const decimal = Math.max(bare.lastIndexOf(","), bare.lastIndexOf("."));
  const decimals = decimal < 0 ? 0 : bare.length - decimal - 1;
  const both = bare.includes(",") && bare.includes(".");
  const single = (bare.match(/[.,]/g) ?? []).length === 1;
  // 1,234.56 and 1.234,56: the last sign is the decimal one. 12,5 and 12.50 too. A lone 1.234 stays as typed.
  if (both || (single && decimals !== 3)) bare = `${bare.slice(0, decimal).replace(/[.,]/g, "")}.${bare.slice(decimal + 1)}`;
  else if (!single) bare = bare.replace(/[.,]/g, "");
  else if (bare[decimal] === ",") bare = bare.replace(",", "");
  return bare.replace(/\.$/, "");
}

function date(text) {
  const match = /^(\d{4})\s*[-./\u5e74]?\s*(\d{1,2})\s*[-./\u6708]?\s*(\d{1,2})\s*\u65e5?$/.exec(text);
  if (!match) return text;
  const [, year, month, day] = match;
  if (/^\d+$/.test(text) && text.length !== 8) return text;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

function time(text) {
  const match = /^(\d{1,2})[:.\u65f6]?(\d{2})(?:[:.\u5206](\d{2})\u79d2?)?$/.exec(text);
  return match ? `${match[1].padStart(2, "0")}:${match[2]}${match[3] ? `:${match[3]}` : ""}` : text;
}

/** The weekday and date in words; empty when the text is no date. */
export function dateWords(text, lang) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return "";
  const day = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])));
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) return "";
  const chinese = lang.startsWith("zh");
  const part = (options) => new Intl.DateTimeFormat(chinese ? "zh-CN" : "en-GB", { timeZone: "UTC", ...options }).format(day);
  return chinese ? `${part({ dateStyle: "long" })} ${part({ weekday: "short" })}`
    : `${part({ weekday: "short" })} ${part({ day: "numeric", month: "short", year: "numeric" })}`;
}
