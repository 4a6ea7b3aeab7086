//! The phrases of labels in English, Malay, German, French, Italian and Chinese; `|` separates phrases.
//!
//! Compared without case, accents, spaces and punctuation. Longer phrases win over shorter ones they contain,
//! so `subtotal` is no `total`; of equal ones the earlier wins.

use super::words::Label::{self, self as L};

/// Phrases by what they announce.
pub const LEXICON: &[(Label, &str)] = &[
    (
        L::GrandTotal,
        concat!(
            "grand total|total due|amount due|total payable|amount payable|net payable|balance due|total to pay|",
            "total amount payable|total amount due|nett total|net total|total rounded|rounded total|",
            "total after rounding|amount to be paid|amount to pay|total aft rounding|ttl after rounding|ttl aft rnd|total aft rnd|total after adj|total incl|total inclusive|total incl gst|",
            "total sales inclusive gst|total sales incl gst|total amt incl gst|total inclusive of gst|total with gst|",
            "total incl tax|total rm incl gst|total amount incl|total sale incl|total payment|payment due|to pay|",
            "please pay|bill total|invoice total|order total|net amount due|total amt payable|total net amount|",
            "total amt rounded|rounded total rm|jumlah besar|jumlah perlu dibayar|jumlah bayaran|total bayar|",
            "gesamtbetrag|gesamtsumme|rechnungsbetrag|zu zahlen|zu bezahlen|endbetrag|endsumme|zahlbetrag|",
            "zahlungsbetrag|total inkl|gesamtbetrag inkl|total chf|total eur|total in chf|total in eur|bruttobetrag|",
            "summe eur|zu zahlender betrag|montant total|total ttc|net a payer|montant a payer|total a payer|",
            "total general|montant du|somme a payer|total facture|factuur totaal|te betalen|totaal te betalen|total a pagar|importe total|a pagar|total compra|tot compra|total factura|kwota do zaplaty|do zaplaty|naleznosc ogolem|rechnungssumme|rechnungs summe|summe brutto|gesamtbetrag brutto|gesamt brutto|total amount incl vat|total incl vat|total including vat|total amount in usd|total amount in eur|pay amount|amount payable now|outstanding balance|total outstanding|new balance due|totale complessivo|importo totale|totale da pagare|totale euro|totale chf|",
            "importo da pagare|价税合计|價稅合計|实付金额|实付款|实付|实收金额|实收|应付金额|应付|应收|實付|實收|應付|总金额|總金額|总计|總計|总额|總額|合计金额|合計金額|合计收费|",
            "小写|票价|支付金额|付款金额|交易金额|消费金额|本次消费|due|amt due|amt paid incl|amount paid incl"
        ),
    ),
    (
        L::Total,
        concat!(
            "bal|total|totals|total amount|total amt|total sales|total sale|ttl|amount total|total price|sum total|",
            "jumlah|jumlah total|summe|gesamt|total betrag|somme|totale|totaal|suma|razem|totalt|toplam|合计|合計|共计|共計|",
            "总价|總價"
        ),
    ),
    (
        L::Amount,
        concat!(
            "amount|amt|sale amount|purchase amount|purchase|sale|price|value|charge|charges|fare|fee|bill amount|",
            "betrag|preis|montant|prix|importo|prezzo|amaun|harga|金额|金額|金額計|费用|收费|车费|車資|价格|售价"
        ),
    ),
    (
        L::Subtotal,
        concat!(
            "subtotal|sub total|sub ttl|subttl|sub tot|total before|total before tax|gross total|total gross|",
            "gross amount|gross amt|merchandise total|total excl|total excluding|total exclusive|total excl gst|",
            "total sales excluding gst|total sales excl gst|total before gst|total exclude gst|total without gst|",
            "food total|item total|items total|goods total|total goods|total (excl|taxable total|jumlah kecil|",
            "zwischensumme|zw summe|zwischentotal|warenwert|sous total|sous-total|total ht|total partiel|subtotale|",
            "totale parziale|小计|小計|商品金额|原价|原價"
        ),
    ),
    (
        L::Net,
        concat!(
            "net|net amount|net amt|nett|netto|nettobetrag|net sales|taxable|taxable amount|taxable amt|",
            "gst amount rm|amount rm|amt rm|ex vat|excl vat|hors taxe|hors taxes|montant ht|imponibile|不含税|不含稅|未税|未稅|",
            "销售额|銷售額"
        ),
    ),
    (
        L::Tax,
        concat!(
            "tax|taxes|sales tax|gst|sst|vat|hst|pst|qst|cgst|sgst|igst|service tax|tax total|total tax|total gst|",
            "gst total|tax amount|tax amt|gst payable|add gst|gst amount|gst amt|total vat|vat amount|gst summary|",
            "tax summary|gst code|tax code|state tax|city tax|local tax|govt tax|cukai|cukai perkhidmatan|mwst|",
            "mwst betrag|mehrwertsteuer|ust|umsatzsteuer|steuer|steuerbetrag|mwst total|total mwst|davon mwst|",
            "enthaltene mwst|tva|montant tva|dont tva|total tva|iva|di cui iva|totale iva|btw|moms|ppn|pb1|税额|稅額|税金|",
            "税率|稅率|增值税|營業稅|消費税"
        ),
    ),
    (
        L::Service,
        concat!(
            "service charge|svc charge|svc chg|serv charge|srv chg|svr chrg|service chg|ser charge|s charge|svc|",
            "service|bedienung|servicegebuhr|service compris|servizio|coperto|服务费|服務費|另收附加费|附加费|另收电召费|电召费|燃油附加费"
        ),
    ),
    (L::Tip, "tip|tips|gratuity|add tip|trinkgeld|pourboire|mancia|小费|小費"),
    (
        L::Discount,
        concat!(
            "discount|disc|less|coupon|coupons|coupons tendered|coupon tendered|voucher|saving|savings|you saved|total savings|total saved|",
            "total discount|discount total|promo|promotion|rebate|markdown|member discount|item discount|total disc|",
            "discount amt|rabatt|rabatte|nachlass|gutschein|sie sparen|ersparnis|aktion|cumulus|remise|rabais|",
            "reduction|bon|economie|sconto|buono|risparmio|diskaun|折扣|优惠|優惠|折让|减免|代金券|优惠券|立减|满减"
        ),
    ),
    (
        L::Rounding,
        concat!(
            "rounding|round off|rounding adj|rounding adjustment|rnd adj|round adj|rounding adj.|roundup|round up|",
            "round down|bill rounding|total rounding|rounding amount|5 cents rounding|cash rounding|pelarasan|",
            "pembundaran|penggenapan|rundung|rundungsdifferenz|arrondi|arrotondamento|抹零|四舍五入|舍入"
        ),
    ),
    (
        L::Tendered,
        concat!(
            "cash|cash tend|cash tendered|tendered|tender|tend|total tendered|amount tendered|amt tendered|",
            "cash received|received|amount received|amt received|total received|cash paid|paid|amount paid|",
            "paid amount|total paid|payment|cash payment|cash rm|accepted|accepted total|total accepted|amount accepted|cash in|tunai|wang tunai|",
            "bayaran|dibayar|bar|bargeld|gegeben|erhalten|bezahlt|bar chf|bar eur|gegeben bar|bar gegeben|zahlung|",
            "bar erhalten|especes|recu|paye|comptant|contanti|contante|pagato|pagamento|pagamento contante|contant|",
            "现金|現金|收款|付款|实收现金|收您|预付"
        ),
    ),
    (
        L::Change,
        concat!(
            "change|change due|cash change|total change|change amt|change amount|your change|chg|change rm|",
            "balance rm|baki|duit baki|wang baki|baki rm|ruckgeld|zuruck|ruckgeld bar|retour|retourgeld|wechselgeld|",
            "herausgeld|rendu|monnaie|a rendre|resto|rest|找零|找赎|找贖|找回"
        ),
    ),
    (
        L::Card,
        concat!(
            "visa|master|mastercard|master card|amex|american express|maestro|debit|credit card|debit card|card|",
            "ec karte|eccash|ec cash|girocard|girokarte|bankkarte|debitkarte|karte|kartenzahlung|ec kartenzahlung|kreditkarte|",
            "kreditkartenzahlung|postcard|postfinance|twint|v pay|vpay|",
            "carte|carte bancaire|carta|bancomat|carta di credito|kad|kad kredit|touch n go|tng|grabpay|boost|nets|",
            "paywave|ewallet|e wallet|eft|eftpos|us debit|debit tend|mcard tend|visa tend|credit|apple pay|",
            "google pay|interac|alipay|wechat|wechat pay|unionpay|union pay|微信|微信支付|支付宝|银联|刷卡|银行卡|信用卡|云闪付|悠遊卡|一卡通|",
            "會員卡"
        ),
    ),
    (
        L::Count,
        concat!(
            "qty|total qty|total quantity|quantity|item count|items sold|number of items|no of items|no of item|",
            "total items|total item|total item s|items|total no of items|total number of items sold|item s|total pcs|",
            "pcs|total unit|pax|cover|covers|guests|guest|persons|kuantiti|bil item|anzahl|anz artikel|artikel|",
            "posten|menge|stuck|stk|artikelanzahl|anzahl artikel|nombre|articles|quantite|qte|nb articles|quantita|",
            "pezzi|articoli|no articoli|数量|數量|件数|件數|总数量|人数|人數|里程|公里"
        ),
    ),
    (
        L::UnitPrice,
        concat!(
            "unit price|u price|each|per unit|price unit|uprice|einzelpreis|e preis|stuckpreis|eur kg|chf kg|",
            "prix unitaire|pu|prezzo unitario|单价|單價"
        ),
    ),
    (
        L::Aside,
        concat!(
            "points|point balance|points earned|points balance|balance|card balance|opening balance|previous balance|",
            "closing balance|remaining balance|account balance|deposit|pfand|leergut|punkte|saldo|guthaben|solde|",
            "fidelity|bonus points|loyalty|cashback|cash back|limit|minimum|credit limit|redeem|reward|rewards|",
            "stored value|余额|餘額|积分|積分|卡余额|押金|定金|exchange rate|kurs|wechselkurs|rate|suggested tip|tip guide|",
            "suggested gratuity|regular price|reg price|list price|original price|original total|price before discount|emporte|in euro|in eur|weight|wt|gewicht|peso|poids|change cash"
        ),
    ),
    (
        L::Including,
        concat!(
            "incl|inc|including|included|inclusive|inclusive of|inkl|inklusive|enthalten|enthaltene|inbegriffen|",
            "davon|dont|compris|comprise|inclus|ttc|incluso|inclusa|di cui|compreso|termasuk|含税|含稅|with gst|w gst"
        ),
    ),
    (
        L::Excluding,
        concat!(
            "excl|excluding|exclude|exclusive|exclusive of|before|exkl|ohne|zzgl|exkl mwst|hors|escluso|esclusa|",
            "tidak termasuk|不含|without|ex gst|exc"
        ),
    ),
    (
        L::Date,
        concat!(
            "date|invoice date|receipt date|bill date|date time|datetime|trans date|transaction date|inv date|",
            "doc date|document date|issue date|date of issue|printed on|print date|sale date|sales date|",
            "business date|factuurdatum|factuur datum|data wystawienia|fecha de emision|fecha factura|date facture|date d emission|data emissione|data documento|rechnungs datum|datum der rechnung|billing date|statement date|bill issued|date issued|issued on|tarikh|tarikh masa|datum|rechnungsdatum|belegdatum|ausstellungsdatum|le|date de facture|",
            "data|data fattura|del|tanggal|tgl|fecha|日期|开票日期|開票日期|交易时间|交易日期|消费时间|下单时间|结账时间|时间日期|日 期|乘车日期|付款时间|支付时间|",
            "开台时间"
        ),
    ),
    (
        L::OtherDate,
        concat!(
            "due date|payment due date|payment due by|payable by|please pay by|pay by date|date limite|date limite le|date limite de paiement|date limite de paiement le|a payer avant|a payer avant le|payable le|date d echeance|zahlbar bis|faellig am|fallig am|zahlungsziel|vervaldatum|te betalen voor|termin platnosci|data scadenza|fecha de vencimiento|vencimiento|orderdatum|besteldatum|bestelldatum|auftragsdatum|date de commande|order placed|expiry|expires|exp date|exp|valid until|valid till|valid thru|valid to|valid from|",
            "best before|use by|sell by|birth date|date of birth|delivery date|order date|ship date|member since|",
            "effective date|return by|expiration|through|before|until|collection date|check in|check out|arrival|",
            "departure|pickup|gultig bis|bis|fallig|lieferdatum|leistungsdatum|mindestens haltbar|valable|jusqu|",
            "echeance|scadenza|valido fino|tamat|有效期|到期|截止|出生|有效期至|approved|permit"
        ),
    ),
    (L::Time, "time|masa|zeit|uhrzeit|uhr|heure|ora|orario|jam|时间|時間"),
    (
        L::InvoiceNumber,
        concat!(
            "invoice no|invoice number|invoice|inv no|inv|invoice id|tax invoice no|bill no|bill number|bill|",
            "receipt no|receipt number|receipt|rcpt no|rcpt|receipt id|receipt num|document no|doc no|slip no|slip|slip number|cash inv no|taxinv|tax inv no|bonnummer|rechnungsnr|belegnr|",
            "cash bill no|cb no|cb|cs no|check no|chk|check|ticket no|ticket|trans no|no resit|resit no|no invois|",
            "reference no|ref no|rechnungsnummer|rechnungs nr|rechnung nr|rechnung|re nr|beleg nr|belegnummer|bon nr|",
            "beleg|quittung nr|kassenbon nr|bonnr|facture no|no facture|facture|numero de facture|ticket n|no ticket|",
            "factuurnummer|factuur nummer|factuurnr|factuur nr|factuur no|numer faktury|nr faktury|faktura nr|faktura vat nr|",
            "fakturanummer|fakturanr|numero de factura|numero factura|factura n|factura no|no factura|n de facture|n facture|",
            "numero facture|numero da fatura|fatura n|cislo faktury|",
            "fattura n|fattura|scontrino n|documento n|numero fattura|发票号码|發票號碼|发票号|票号|票據號|单号|單號|小票号|流水号|收据号|编号"
        ),
    ),
    (
        L::OtherNumber,
        concat!(
            "order no|order|order number|table|table no|tbl|cashier|terminal|terminal id|tid|mid|merchant id|",
            "auth code|approval code|auth|aid|trace|batch|reg|register|till|pos|store|member|member id|customer no|",
            "customer|account|acct|barcode|serial|po no|job no|staff|server|counter|shift|station|counter no|ref|trx|",
            "tran|transaction|tisch|kasse|filiale|bediener|kunde|kundennummer|kunden nr|bestellnummer|caisse|",
            "ordernummer|klantnummer|commande|client|cassa|tavolo|cliente|meja|kaunter|桌号|台号|订单号|訂單|收银员|会员|车号|证号|卡号|发票代码|發票代碼|校验码|机器编号|终端号|",
            "商户号|参考号|批次号|凭证号|授权码"
        ),
    ),
    (
        L::TaxId,
        concat!(
            "gst no|gst ref no|gst reg no|gst id|gst id no|gst registration no|gstin|gst reg|sst no|sst reg no|sst id|vat no|",
            "vat reg no|vat id|vat number|vat registration|tax id|tin|abn|ein|tax reg no|uid|uid nr|ust idnr|",
            "ust id nr|ustid|ust id|steuernummer|steuer nr|st nr|mwst nr|che|tva no|no tva|siret|siren|partita iva|",
            "p iva|piva|codice fiscale|iva no|npwp|统一社会信用代码|纳税人识别号|納稅人識別號|税号|統一編號|统一编号|統編|賣方|co reg no|",
            "company reg no|reg no|roc no|co no"
        ),
    ),
    (
        L::Phone,
        "tel|telephone|phone|ph|fax|hotline|mobile|hp|h p|call|telefon|telefono|telefax|natel|电话|電話|手机|热线|传真",
    ),
    (
        L::Seller,
        concat!(
            "sold by|payment received by|received by|account holder|account name|kontoinhaber|titulaire du compte|beneficiary|payee|payable to|in favour of|in favor of|sprzedawca|verkoper|leverancier|fournisseur|emetteur|vendedor|emisor|venditore|fornitore|rechnungssteller|lieferant|merchant|merchant name|seller|vendor|verkaufer|vendeur|销售方|销方|收款方|收款单位|商户名称|商户|单位名称|店名|商家|销货单位|",
            "销售方名称|賣方|门店|收款人名称|商店名称|商户全称|门店名称|对方账户|承运单位|企业名称"
        ),
    ),
    (
        L::Buyer,
        concat!(
            "sold to|nabywca|factuuradres|afleveradres|billing address|shipping address|rechnungsempfanger|lieferadresse|rechnungsadresse|acquirente|facture a|adresse de facturation|adresse de livraison|guest name|bill to|billed to|ship to|invoice to|customer name|attn|attention|kunde|client|购买方|购方|购货单位|買方|",
            "买方|抬头|客户名称|付款方|付款单位"
        ),
    ),
    (
        L::Title,
        concat!(
            "tax invoice|simplified tax invoice|receipt|official receipt|invoice|cash sale|cash sales|cash bill|",
            "sales receipt|cash receipt|cash memo|bill|guest check|guest copy|customer copy|merchant copy|duplicate|",
            "duplicate copy|reprint|copy|sales slip|delivery order|statement|order confirmation|welcome|welcome to|",
            "thank you|thanks|resit|resit rasmi|factuur|kopie factuur|faktura|faktura vat|payment receipt|retail invoice|invois|invois cukai|salinan|terima kasih|selamat datang|rechnung|",
            "quittung|kassenbon|kassenbeleg|beleg|kundenbeleg|handlerbeleg|kundenkopie|bon|zwischenrechnung|",
            "bewirtungsbeleg|vielen dank|willkommen|herzlich willkommen|facture|recu|ticket|ticket de caisse|",
            "quittance|merci|bienvenue|fattura|scontrino|ricevuta|documento commerciale|grazie|benvenuti|struk|nota|",
            "发票|發票|电子发票|普通发票|增值税电子普通发票|增值税普通发票|增值税专用发票|电子发票普通发票|收据|收據|小票|结账单|结算单|账单|帳單|预结单|出租汽车专用发票|通用机打发票|定额发票|欢迎光临|",
            "谢谢惠顾|发票联|国家税务总局|税务局|電子發票證明聯|電子發票"
        ),
    ),
    (L::Bank, "iban|bic|swift|bank|account no|a c no|konto|kontonummer|blz|acc no|开户行|账号|開戶行|帳號|开户银行"),
];
